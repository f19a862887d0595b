import { cleanUp, type Job } from '../features/jobs/jobs.ts'
import { LOGOUT_POLL_INTERVAL } from '../features/logouts/logouts.ts'
import { MAIL_POLL_INTERVAL } from '../features/mail/mail.ts'
import { KEY_POLL_INTERVAL } from '../features/signing-keys/signing-keys.ts'
import { MINUTE, SECOND } from '../lib/clock.ts'
import type { Service } from '../service.ts'

/** The periodic work of a server. */
export const jobsOf = (service: Service): readonly Job[] => [
  { name: 'process_heartbeat', every: MINUTE, by: 'each', run: service.secrets.heartbeat },
  { name: 'data_key_poll', every: KEY_POLL_INTERVAL, by: 'each', run: service.secrets.poll },
  { name: 'data_key_maintenance', every: MINUTE, by: 'one', run: service.secrets.maintain },
  { name: 'mail', every: MAIL_POLL_INTERVAL, by: 'each', atStart: true, run: service.mails.deliver },
  { name: 'logout', every: LOGOUT_POLL_INTERVAL, by: 'each', atStart: true, run: service.logouts.deliver },
  { name: 'key_poll', every: KEY_POLL_INTERVAL, by: 'each', run: service.signingKeys.poll },
  // Without a lease: nothing is written while no deactivation ends, and each is ended by one process.
  {
    name: 'deactivation_end',
    every: 10 * SECOND,
    by: 'each',
    atStart: true,
    run: () => cleanUp([service.administration.activateDue]),
  },
  { name: 'checkpoint', every: MINUTE, by: 'each', run: service.store.checkpoint },
  { name: 'first_admin_file', every: MINUTE, by: 'each', run: service.invitations.tidyFirstAdmin },
  { name: 'provider_seals', every: MINUTE, by: 'one', run: service.social.maintain },
  { name: 'totp_seals', every: MINUTE, by: 'one', run: service.factors.maintain },
  { name: 'client_origins', every: 30 * SECOND, by: 'each', atStart: true, run: service.clients.refreshOrigins },
  { name: 'key_maintenance', every: MINUTE, by: 'one', run: service.signingKeys.maintain },
  {
    name: 'clean_up',
    every: MINUTE,
    by: 'one',
    run: () =>
      cleanUp([
        service.sessions.endExpired,
        service.sessions.cleanUp,
        service.limits.cleanUp,
        service.audit.eraseForgotten,
        service.audit.deleteOldEvents,
        service.audit.shortenOldAddresses,
        service.mails.cleanUp,
        service.logouts.cleanUp,
        service.mails.wipeExpired,
        service.proofs.cleanUp,
        service.factors.cleanUpPending,
        service.factors.cleanUpChallenges,
        service.factors.cleanUpTrusted,
        service.factors.cleanUpNonces,
        service.openid.cleanUp,
        service.users.cleanUp,
        service.accounts.cleanUp,
      ]),
  },
]

import { KeywardError } from '../../errors.ts'
import type {
  Client,
  ClientChange,
  ClientSecret,
  IdTokenAlg,
  MadeSecret,
  NewClient,
  NewSecret,
} from '../clients/clients.ts'
import type { AdministrationNeeds } from './administration.ts'
import { type Actor, byOf, makeChange } from './change-user.ts'
import { type Page, pageOf } from './lists.ts'

/** The most sessions that one transaction ends. */
const PART = 500

/** Who changes a client: an administrator over HTTP, or undefined for the operator at the command line. */
type Changer = Actor | undefined

/**
 * What administrators and the operator do to clients. An administrator needs `clients:write`. Each method throws the
 * errors of `makeChange` for an administrator.
 */
export interface ClientAdministration {
  /** A page of clients, by id. @param page.after the last id of the page before; empty for the first page */
  listClients(page: { after: string; limit: number }): Promise<Page<Client, string>>
  /** @throws KeywardError `client_not_found` */
  findClient(id: string): Promise<Client>
  /** The secrets of a client, the newest first, including expired and revoked ones. */
  secretsOfClient(id: string): Promise<ClientSecret[]>
  /**
   * Registers a client.
   * @returns the client, and its first secret when it is confidential
   * @throws KeywardError `clients_unavailable`, `validation_failed`, `client_taken`
   */
  createClient(changer: Changer, client: NewClient): Promise<{ client: Client; secret: MadeSecret | undefined }>
  /**
   * Changes a client. Disabling a client ends its sessions. Nothing is written when nothing changes.
   * @throws KeywardError `client_not_found`, `validation_failed`
   */
  updateClient(changer: Changer, id: string, change: ClientChange): Promise<Client>
  /** Deletes a client, and ends its sessions. @throws KeywardError `client_not_found` */
  deleteClient(changer: Changer, id: string): Promise<Client>
  /**
   * Makes a further secret of a client.
   * @throws KeywardError `client_not_found`, `client_is_public`, `too_many_secrets`, `validation_failed`
   */
  addClientSecret(changer: Changer, id: string, secret: NewSecret): Promise<MadeSecret>
  /** Revokes a secret at once. @throws KeywardError `client_not_found`, `client_secret_not_found` */
  revokeClientSecret(changer: Changer, of: { id: string; secretId: string }): Promise<void>
}

interface ClientStep<Made> {
  /** Runs before the transaction, when the change is allowed. */
  prepare?: () => Promise<unknown>
  /** See `Plan`. The function that it returns makes the change. */
  plan: () => Promise<(() => Promise<Made>) | undefined>
}

export function clientAdministration(needs: AdministrationNeeds): ClientAdministration {
  const { store: db, clients, sessions, signingKeys } = needs
  const findClient = async (id: string): Promise<Client> => {
    const client = await clients.find(id)
    if (!client) throw new KeywardError('client_not_found')
    return client
  }
  /** Makes a change for an administrator or for the operator. */
  const change = async <Made>(changer: Changer, { prepare, plan }: ClientStep<Made>): Promise<Made | undefined> => {
    if (changer) return makeChange(needs, changer, { permission: 'clients:write', prepare, plan: () => plan() })
    if (!(await plan())) return undefined
    await prepare?.()
    return db.transaction(async () => (await plan())?.())
  }
  /**
   * Ends the sessions of a client in transactions of their own, so that no transaction is long; the transaction of the
   * change ends those that began meanwhile. The client must still exist: its logout tokens are queued.
   */
  const endSessions = async (clientId: string, reason: 'client_disabled' | 'client_deleted', ip?: string) => {
    while ((await sessions.endOfClient({ clientId, reason, limit: PART, ip })) === PART);
  }
  const by = (changer: Changer) => changer && byOf(changer)
  return {
    listClients: ({ after, limit }) =>
      pageOf(
        limit,
        (most) => clients.list({ after, limit: most }),
        ({ id }) => id,
      ),
    findClient,
    secretsOfClient: (id) => clients.secretsOf(id),

    async createClient(changer, client) {
      let alg: IdTokenAlg = 'RS256'
      const made = await change(changer, {
        prepare: () => signingKeys.ensureIdTokenKey(alg),
        plan: async () => {
          alg = (await clients.check(client)).idTokenAlg
          return () => clients.create(client, by(changer))
        },
      })
      return made!
    },

    async updateClient(changer, id, values) {
      const end = async () => {
        if (values.isEnabled === false) await endSessions(id, 'client_disabled', changer?.ip)
      }
      const made = await change(changer, {
        prepare: async () => {
          if (values.idTokenAlg !== undefined) await signingKeys.ensureIdTokenKey(values.idTokenAlg)
          await end()
        },
        plan: async () => {
          const client = await findClient(id)
          if (!(await clients.compare(client, values))) return undefined
          return async () => {
            const changed = await clients.update(id, values, by(changer))
            await end()
            return changed
          }
        },
      })
      return made ?? findClient(id)
    },

    async deleteClient(changer, id) {
      const end = () => endSessions(id, 'client_deleted', changer?.ip)
      const made = await change(changer, {
        prepare: end,
        plan: async () => {
          const client = await findClient(id)
          return async () => {
            await end()
            await clients.remove(id, by(changer))
            return client
          }
        },
      })
      return made!
    },

    async addClientSecret(changer, id, secret) {
      const made = await change(changer, {
        plan: async () => {
          await clients.checkSecret(await findClient(id), secret)
          return () => clients.addSecret(id, secret, by(changer))
        },
      })
      return made!
    },

    async revokeClientSecret(changer, { id, secretId }) {
      await change(changer, {
        plan: async () => {
          const secrets = await clients.secretsOf((await findClient(id)).id)
          const secret = secrets.find((one) => String(one.id) === secretId && one.revokedAt === null)
          if (!secret) throw new KeywardError('client_secret_not_found')
          return () => clients.revokeSecret(id, secret.id, by(changer))
        },
      })
    },
  }
}

import type { FactorMessages } from './message.ts'

export const factorMessages: FactorMessages = {
  factor_added: {
    subject: 'Un second facteur a été ajouté sur {{app}}',
    before: [
      'Un second facteur a été ajouté à votre compte {{app}}. Il sera désormais demandé à la connexion. Tous les autres appareils ont été déconnectés.',
    ],
    after: [
      'Si c’était vous, gardez vos codes de secours en lieu sûr\u00a0: il vous en faudra un si vous perdez ce facteur.',
      'Sinon, quelqu’un d’autre a accès à votre compte. Écrivez tout de suite aux responsables de {{app}}.',
    ],
  },
  factor_removed: {
    subject: 'Un second facteur a été supprimé sur {{app}}',
    before: [
      'Un second facteur a été supprimé de votre compte {{app}}. Il n’est plus accepté. Tous les autres appareils ont été déconnectés.',
    ],
    after: [
      'Si c’était vous, vous n’avez rien à faire.',
      'Sinon, quelqu’un d’autre a peut-être accès à votre compte. Changez votre mot de passe et écrivez tout de suite aux responsables de {{app}}.',
    ],
  },
  recovery_codes_renewed: {
    subject: 'Vos nouveaux codes de secours sur {{app}}',
    before: ['De nouveaux codes de secours ont été créés pour votre compte {{app}}. Les anciens ne fonctionnent plus.'],
    after: [
      'Si c’était vous, gardez les nouveaux codes en lieu sûr. Ils ne seront plus affichés.',
      'Sinon, quelqu’un d’autre a peut-être accès à votre compte. Changez votre mot de passe et écrivez tout de suite aux responsables de {{app}}.',
    ],
  },
  recovery_code_used: {
    subject: 'Un code de secours a été utilisé sur {{app}}',
    before: [
      'Quelqu’un a utilisé un des codes de secours de votre compte {{app}} à la place du second facteur. Il reste {{left}} codes.',
    ],
    after: [
      'Si c’était vous et que vous avez perdu l’autre facteur, supprimez-le dans votre compte et ajoutez-en un nouveau. Créez de nouveaux codes avant d’avoir utilisé le dernier.',
      'Sinon, quelqu’un connaît votre mot de passe et a vos codes. Changez tout de suite le mot de passe et créez de nouveaux codes.',
    ],
  },
  trusted_device_added: {
    subject: 'Un appareil est désormais de confiance sur {{app}}',
    before: [
      'Désormais, le mot de passe suffit pour vous connecter à votre compte {{app}} avec cet appareil\u00a0; le second facteur n’y est plus demandé.',
    ],
    after: [
      'Si c’était vous, vous n’avez rien à faire. Dans votre compte, vous pouvez retirer cette confiance à tout moment.',
      'Sinon, quelqu’un connaît votre mot de passe et a votre second facteur. Changez tout de suite votre mot de passe\u00a0: plus aucun appareil ne sera alors de confiance.',
    ],
  },
  factor_copied: {
    subject: 'Une clé d’accès a peut-être été copiée sur {{app}}',
    before: [
      'Quelqu’un a utilisé une clé d’accès ou une clé de sécurité de votre compte sur {{app}}, et son compteur était antérieur à celui d’une utilisation précédente. Il en existe peut-être une copie. La connexion a été refusée.',
    ],
    after: [
      'Si vous avez transféré cette clé sur un autre appareil, supprimez-la dans votre compte et ajoutez-la de nouveau.',
      'Sinon, supprimez tout de suite la clé de votre compte et connectez-vous avec un autre facteur.',
    ],
  },
}

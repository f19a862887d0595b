import { factorMessages } from './factors.fr.ts'
import type { Catalogue } from './message.ts'
import { policyMessages } from './policy.fr.ts'

export const fr: Catalogue = {
  dates: 'fr-FR',
  greeting: { named: 'Bonjour {{username}},', plain: 'Bonjour,' },
  footer: {
    why: '{{app}} vous envoie cet e-mail au sujet de votre compte. Vous ne pouvez pas y répondre.',
    support: 'Des questions\u00a0? Écrivez à {{support}}.',
  },
  colon: '\u00a0: ',
  facts: {
    time: 'Date et heure',
    ip: 'Adresse IP',
    device: 'Appareil',
    address: 'Nouvelle adresse',
    provider: 'Fournisseur',
    due: 'Nécessaire à partir du',
    factor: 'Facteur',
    left: 'Codes restants',
  },
  code: {
    only: 'Votre code, valable {{code_minutes}} minutes\u00a0:',
    also: 'Ou saisissez ce code, valable {{code_minutes}} minutes\u00a0:',
  },
  messages: {
    ...policyMessages,
    ...factorMessages,
    test: {
      subject: 'Les e-mails de {{app}} arrivent',
      before: ['Ceci est un test. Si vous le lisez, {{app}} peut envoyer des e-mails à cette adresse.'],
      after: [],
    },
    password_changed: {
      subject: 'Votre mot de passe pour {{app}} a été modifié',
      before: ['Le mot de passe de votre compte {{app}} a été modifié. Les autres appareils ont été déconnectés.'],
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Sinon, une autre personne a peut-être accès à votre compte. Contactez tout de suite les responsables de {{app}}.',
      ],
    },
    new_device: {
      subject: 'Nouvelle connexion à {{app}}',
      before: [
        'Quelqu’un s’est connecté à votre compte {{app}} avec un appareil et depuis un réseau que nous ne connaissons pas encore.',
      ],
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Sinon, quelqu’un d’autre connaît votre mot de passe ou lit vos e-mails. Changez tout de suite le mot de passe et fermez toutes les autres sessions de votre compte.',
      ],
    },
    session_reused: {
      subject: 'Votre session {{app}} a été fermée sur un appareil',
      before: [
        'Une connexion à votre compte {{app}} a été utilisée à deux endroits à la fois. Cela arrive quand quelqu’un la copie, ou quand un appareil est restauré depuis une sauvegarde. Par sécurité, nous avons mis fin à cette connexion.',
      ],
      after: [
        'Si vous avez restauré un appareil ou transféré une application, reconnectez-vous sur cet appareil\u00a0; vous n’avez rien d’autre à faire.',
        'Sinon, changez votre mot de passe et fermez toutes les autres sessions de votre compte.',
      ],
    },
    link_identity: {
      subject: 'Votre code pour {{app}}',
      before: [
        'Quelqu’un, probablement vous, se connecte à {{app}} avec {{provider}} et a donné cette adresse. Le code confirme que cette adresse est la vôtre. Si vous avez un compte chez {{app}}, il pourra alors être lié à {{provider}}.',
      ],
      after: [
        'Si ce n’était pas vous, ignorez cet e-mail. Ne donnez jamais ce code\u00a0: personne chez {{app}} ne le demande.',
      ],
    },
    wrong_codes: {
      subject: 'Codes incorrects pour votre compte {{app}}',
      before: [
        'Quelqu’un a saisi cinq codes incorrects d’une application d’authentification en se connectant à votre compte {{app}}. Pour arriver jusque-là, il faut connaître votre mot de passe ou lire vos e-mails.',
      ],
      after: [
        'Si c’était vous, vérifiez que l’horloge de votre téléphone est à l’heure.',
        'Sinon, personne n’est entré, mais changez tout de suite votre mot de passe.',
      ],
    },
    codes_locked: {
      subject: 'Les codes de votre compte {{app}} sont bloqués',
      before: [
        '100 codes incorrects ont été saisis de suite pour votre compte {{app}}. Les codes des applications d’authentification ne sont donc plus acceptés.',
      ],
      after: [
        'Connectez-vous avec une clé d’accès, une clé de sécurité ou un code de secours\u00a0: les codes seront alors de nouveau acceptés. Si vous n’en avez pas, contactez les responsables de {{app}}.',
        'Si vous n’avez pas saisi ces codes, une autre personne connaît votre mot de passe. Changez-le tout de suite.',
      ],
    },
    identity_linked: {
      subject: 'Vous pouvez vous connecter à {{app}} avec {{provider}}',
      before: [
        'Un compte {{provider}} a été lié à votre compte {{app}}. La personne qui l’utilise peut se connecter à votre compte.',
      ],
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Sinon, supprimez ce lien dans votre compte et changez tout de suite votre mot de passe.',
      ],
    },
    identity_unlinked: {
      subject: '{{provider}} ne vous connecte plus à {{app}}',
      before: ['Un compte {{provider}} n’est plus lié à votre compte {{app}}.'],
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Sinon, changez votre mot de passe et fermez toutes les autres sessions de votre compte.',
      ],
    },
    identity_account: {
      subject: 'Votre compte {{app}}',
      before: [
        'Quelqu’un, probablement vous, s’est connecté à {{app}} avec {{provider}}. Un compte avec cette adresse a été créé. Il n’a pas de mot de passe.',
      ],
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Sinon, quelqu’un a accès à votre compte {{provider}}. Écrivez aux responsables de {{app}}.',
      ],
    },
    identity_taken: {
      subject: '{{provider}} n’a pas pu être lié sur {{app}}',
      before: [
        'Quelqu’un voulait lier sur {{app}} un compte {{provider}} qui est déjà lié à un autre compte. Les deux comptes reçoivent cet e-mail. Rien n’a été changé.',
      ],
      after: [
        'Si vous avez deux comptes {{app}}, supprimez d’abord le lien dans l’autre.',
        'Si ce n’était pas vous, vous n’avez rien à faire.',
      ],
    },
    verify_email: {
      subject: 'Confirmez votre adresse pour {{app}}',
      before: [
        'Quelqu’un, sans doute vous, a indiqué cette adresse pour un compte {{app}}. Veuillez confirmer qu’elle est la vôtre.',
      ],
      button: 'Confirmer l’adresse',
      lifetime: 'Le lien fonctionne une seule fois, jusqu’au {{until}}.',
      after: ['Si ce n’était pas vous, ignorez cet e-mail. Ne donnez jamais le code à personne.'],
    },
    reset_password: {
      subject: 'Choisissez un nouveau mot de passe pour {{app}}',
      before: ['Quelqu’un, sans doute vous, a demandé un nouveau mot de passe pour votre compte {{app}}.'],
      button: 'Choisir un nouveau mot de passe',
      lifetime:
        'Le lien fonctionne une seule fois, pendant {{minutes}} minutes. Si le compte a un mot de passe, il reste valable jusqu’à ce que vous en choisissiez un nouveau.',
      after: ['Si ce n’était pas vous, ignorez cet e-mail\u00a0: rien ne change.'],
    },
    reset_by_admin: {
      subject: 'Choisissez un nouveau mot de passe pour {{app}}',
      before: [
        'Un administrateur de {{app}} vous envoie ce lien, avec lequel vous choisissez un nouveau mot de passe pour votre compte.',
      ],
      button: 'Choisir un nouveau mot de passe',
      lifetime:
        'Le lien fonctionne une seule fois, pendant {{minutes}} minutes. Si le compte a un mot de passe, il reste valable jusqu’à ce que vous en choisissiez un nouveau.',
      after: ['Si vous ne vous y attendiez pas, demandez aux responsables de {{app}}. Sans le lien, rien ne change.'],
    },
    address_restored: {
      subject: 'Votre compte {{app}} est rétabli\u00a0: choisissez un nouveau mot de passe',
      before: [
        'La modification de l’adresse a été annulée\u00a0: cette adresse est de nouveau celle de votre compte {{app}}. Tous les appareils ont été déconnectés et le mot de passe a été supprimé, car une autre personne le connaît peut-être.',
      ],
      button: 'Choisir un nouveau mot de passe',
      lifetime:
        'Le lien fonctionne une seule fois, pendant {{minutes}} minutes. Ensuite, indiquez que vous avez oublié le mot de passe.',
      after: [
        'Si vous n’avez pas annulé la modification, une autre personne lit vos e-mails. Changez d’abord le mot de passe de votre messagerie.',
      ],
    },
    log_in: {
      subject: 'Connexion à {{app}}',
      before: ['Quelqu’un, sans doute vous, veut se connecter à votre compte {{app}} au moyen de cet e-mail.'],
      button: 'Se connecter',
      lifetime: 'Le lien fonctionne une seule fois, pendant {{minutes}} minutes.',
      after: [
        'Si ce n’était pas vous, ignorez cet e-mail. Ne donnez jamais le code à personne\u00a0: personne chez {{app}} ne vous le demandera.',
      ],
    },
    confirm_address: {
      subject: 'Confirmez votre nouvelle adresse pour {{app}}',
      before: [
        'Cette adresse doit devenir la nouvelle adresse d’un compte {{app}}. Elle le sera dès que vous l’aurez confirmée.',
      ],
      button: 'Confirmer la nouvelle adresse',
      lifetime: 'Le lien fonctionne une seule fois, jusqu’au {{until}}.',
      after: ['Si ce n’était pas vous, ignorez cet e-mail\u00a0: rien ne change.'],
    },
    address_changed: {
      subject: 'L’adresse de votre compte {{app}} a été modifiée',
      before: ['L’adresse de votre compte {{app}} a été modifiée. Les e-mails n’arrivent plus à cette adresse.'],
      button: 'Annuler la modification',
      lifetime:
        'Le lien fonctionne une seule fois, jusqu’au {{until}}. Il rétablit cette adresse, déconnecte tous les appareils et supprime le mot de passe, pour que vous en choisissiez un nouveau.',
      after: [
        'Si c’était vous, vous n’avez rien à faire.',
        'Si ce n’était pas vous, annulez tout de suite la modification.',
      ],
    },
    address_taken: {
      subject: 'Vous avez déjà un compte {{app}}',
      before: [
        'Quelqu’un, sans doute vous, a voulu utiliser cette adresse pour un compte {{app}}. Elle appartient déjà à votre compte, donc rien n’a été modifié.',
      ],
      after: [
        'Si c’était vous, connectez-vous à ce compte. Si vous avez oublié le mot de passe, choisissez-en un nouveau.',
        'Si ce n’était pas vous, ignorez cet e-mail.',
      ],
    },
    invitation: {
      subject: 'Votre invitation à {{app}}',
      before: ['Un compte {{app}} a été créé pour vous. Choisissez un mot de passe pour l’utiliser.'],
      button: 'Accepter l’invitation',
      lifetime: 'Le lien fonctionne une seule fois, jusqu’au {{until}}.',
      after: [
        'Si vous ne vous y attendiez pas, ignorez cet e-mail\u00a0: sans son lien, personne ne peut utiliser le compte.',
      ],
    },
    first_admin: {
      subject: 'Devenez le premier administrateur de {{app}}',
      before: [
        '{{app}} n’a pas encore d’administrateur, et ses réglages indiquent cette adresse. Choisissez un mot de passe pour devenir le premier.',
      ],
      button: 'Devenir administrateur',
      lifetime:
        'Le lien fonctionne une seule fois, jusqu’au {{until}}, et seulement tant qu’il n’y a pas d’administrateur.',
      after: ['Si vous ne gérez pas {{app}}, ignorez cet e-mail.'],
    },
  },
}

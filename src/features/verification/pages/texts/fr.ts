import type { VerificationTexts } from './text.ts'

export const fr: VerificationTexts = {
  forgot: {
    title: 'Mot de passe oublié\u00a0?',
    intro:
      'Saisissez l’adresse e-mail de votre compte. Vous recevrez un e-mail avec un lien pour choisir un nouveau mot de passe.',
    email: 'Adresse e-mail',
    button: 'Envoyer le lien',
    invalidEmail: 'Saisissez une seule adresse e-mail, par exemple nom@example.com.',
    sent: {
      title: 'Consultez votre messagerie',
      text: 'Si cette adresse est celle d’un compte, un e-mail est en route. Le lien qu’il contient est valable 30 minutes. Si rien n’arrive, regardez dans le dossier des indésirables.',
    },
    again: 'Envoyer un autre lien',
  },
  reset: {
    title: 'Choisir un nouveau mot de passe',
    account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
    effect: 'Tous les appareils seront déconnectés. Vous vous connecterez ensuite avec le nouveau mot de passe.',
    button: 'Enregistrer le nouveau mot de passe',
    done: {
      title: 'Votre mot de passe a été modifié',
      text: 'Tous les appareils ont été déconnectés. Connectez-vous maintenant avec le nouveau mot de passe.',
    },
    dead: {
      title: 'Ce lien n’est plus valable',
      text: 'Un lien fonctionne une seule fois, pendant 30 minutes, et seul le plus récent est valable. Votre mot de passe n’a pas été modifié.',
    },
    askAgain: 'Demander un nouveau lien',
  },
  verify: {
    title: 'Confirmez votre adresse',
    account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
    why: 'Quelqu’un d’autre a pu s’inscrire avec votre adresse. Prouvez donc que ce compte est le vôtre.',
    password: 'Mot de passe du compte',
    button: 'Confirmer l’adresse',
    wrongPassword: 'Ce n’est pas le mot de passe du compte.',
    missingPassword: 'Saisissez le mot de passe du compte.',
    other: {
      summary: 'Je n’ai pas créé ce compte, ou je ne connais pas le mot de passe',
      effect:
        'Choisissez un nouveau mot de passe. L’ancien ne sera plus valable, tous les appareils seront déconnectés et toutes les clés d’API du compte seront révoquées.',
      button: 'Confirmer l’adresse et enregistrer le mot de passe',
    },
    username: 'Nom d’utilisateur',
    usernameTaken: 'Ce nom d’utilisateur a été pris entre-temps. Choisissez-en un autre.',
    invalidUsername: 'Ce nom d’utilisateur ne convient pas. Choisissez-en un autre.',
    done: { title: 'Votre adresse est confirmée', text: 'Vous pouvez maintenant vous connecter.' },
    dead: {
      title: 'Ce lien n’est plus valable',
      text: 'Un lien fonctionne une seule fois, pendant 24 heures, et seul le plus récent est valable. Si vous avez déjà confirmé votre adresse, tout va bien. Sinon, demandez un nouveau lien dans l’application.',
    },
  },
  confirm: {
    title: 'Confirmez votre nouvelle adresse',
    account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
    next: { before: 'Sa nouvelle adresse sera ', after: '.' },
    effect:
      'Les autres appareils seront déconnectés. L’ancienne adresse recevra un e-mail qui permettra d’annuler la modification pendant 72 heures.',
    button: 'Modifier l’adresse',
    taken: { title: 'Cette adresse appartient à un autre compte', text: 'Rien n’a été modifié.' },
    done: {
      title: 'Votre adresse a été modifiée',
      text: 'Connectez-vous désormais avec la nouvelle adresse. Les e-mails y arriveront aussi.',
    },
    dead: {
      title: 'Ce lien n’est plus valable',
      text: 'Un lien fonctionne une seule fois, pendant 24 heures, et seul le plus récent est valable. Votre adresse n’a pas été modifiée cette fois-ci.',
    },
  },
  undo: {
    title: 'Annuler la modification de l’adresse',
    account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
    next: { before: 'Il retrouvera l’adresse ', after: '.' },
    effect:
      'Tous les appareils seront déconnectés, toutes les clés d’API révoquées et le mot de passe supprimé. Un e-mail avec un lien pour choisir un nouveau mot de passe arrivera ensuite à cette adresse.',
    button: 'Annuler la modification',
    done: {
      title: 'La modification a été annulée',
      text: 'Un e-mail avec un lien pour choisir un nouveau mot de passe est en route. D’ici là, personne ne peut se connecter au compte.',
    },
    dead: {
      title: 'Ce lien n’est plus valable',
      text: 'Un lien fonctionne une seule fois, pendant 72 heures. Rien n’a été modifié. Si quelqu’un d’autre utilise votre compte, demandez de l’aide.',
    },
  },
  recovery: {
    title: 'Supprimer vos seconds facteurs',
    account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
    effect:
      'Toutes les applications d’authentification, clés d’accès, clés de sécurité et tous les codes de récupération du compte seront supprimés, et tous les appareils déconnectés. Vous vous connecterez ensuite avec le mot de passe et configurerez un nouveau second facteur.',
    password: 'Mot de passe du compte',
    button: 'Supprimer tous les seconds facteurs',
    wrongPassword: 'Ce n’est pas le mot de passe du compte.',
    missingPassword: 'Saisissez le mot de passe du compte.',
    done: {
      title: 'Vos seconds facteurs ont été supprimés',
      text: 'Tous les appareils ont été déconnectés. Connectez-vous maintenant avec votre mot de passe et configurez un nouveau second facteur.',
    },
    dead: {
      title: 'Ce lien n’est plus valable',
      text: 'Un lien fonctionne une seule fois, pendant 24 heures, et un nouveau mot de passe l’annule. Rien n’a été supprimé. Demandez-en un autre.',
    },
  },
}

import type { PolicyMessages } from './message.ts'

export const policyMessages: PolicyMessages = {
  second_factor_due: {
    subject: 'Votre compte {{app}} a besoin d’un second facteur',
    before: [
      'Votre compte {{app}} a besoin d’un second facteur en plus du mot de passe, par exemple une application d’authentification ou une clé d’accès. Merci d’en configurer un avant le jour indiqué ci-dessous.',
    ],
    after: [
      'Après ce jour, vous ne pourrez utiliser qu’une partie de {{app}}, ou ne pourrez plus vous connecter, tant que le compte n’en aura pas.',
    ],
  },
  enroll_factor: {
    subject: 'Votre code pour {{app}}',
    before: [
      'Quelqu’un, probablement vous, s’est connecté à votre compte {{app}} et va configurer un second facteur. Le code confirme que c’est bien vous.',
    ],
    after: [
      'Si ce n’était pas vous, une autre personne connaît votre mot de passe. Changez-le tout de suite, et ne donnez jamais ce code\u00a0: personne chez {{app}} ne le demande.',
    ],
  },
  recover_factors: {
    subject: 'Retrouvez l’accès à votre compte {{app}}',
    before: [
      'Un administrateur de {{app}} vous envoie ce lien, parce que vous avez perdu votre second facteur. Avec le lien et votre mot de passe, vous supprimez tous les seconds facteurs de votre compte, puis vous vous connectez avec le mot de passe seul.',
    ],
    button: 'Supprimer mes seconds facteurs',
    lifetime: 'Le lien fonctionne une seule fois, jusqu’au {{until}}.',
    after: [
      'Si vous ne l’avez pas perdu, ignorez cet e-mail\u00a0: sans le lien et votre mot de passe, rien ne change. Demandez aux responsables de {{app}} pourquoi il a été envoyé.',
    ],
  },
  factors_recovered: {
    subject: 'Tous les seconds facteurs de votre compte {{app}} ont été supprimés',
    before: [
      'Tous les seconds facteurs et codes de récupération de votre compte {{app}} ont été supprimés, avec le lien d’un e-mail et votre mot de passe. Tous les appareils ont été déconnectés.',
    ],
    after: [
      'Si c’était vous, connectez-vous et configurez un nouveau second facteur.',
      'Sinon, une autre personne lit vos e-mails et connaît votre mot de passe. Changez tout de suite le mot de passe, et contactez les responsables de {{app}}.',
    ],
  },
  factors_reset: {
    subject: 'Des seconds facteurs de votre compte {{app}} ont été supprimés',
    before: [
      'Un administrateur de {{app}} a supprimé des seconds facteurs de votre compte. Tous les appareils ont été déconnectés.',
    ],
    after: [
      'Si vous l’avez demandé, connectez-vous et configurez un nouveau second facteur.',
      'Sinon, changez votre mot de passe, et contactez tout de suite les responsables de {{app}}.',
    ],
  },
}

import type { SocialTexts } from './text.ts'

export const fr: SocialTexts = {
  address: {
    title: 'Votre adresse e-mail',
    intro: (provider) =>
      `${provider} n’a pas donné d’adresse e-mail. Saisissez la vôtre ; vous recevrez un e-mail avec un code.`,
    email: 'Adresse e-mail',
    button: 'Envoyer le code',
    invalidEmail: 'Saisissez une adresse e-mail, par exemple nom@example.com.',
  },
  code: {
    title: 'Regardez votre boîte aux lettres',
    sent: { before: 'Nous avons envoyé un e-mail avec un code à ', after: '.' },
    hint: 'Le code est valable 10 minutes. Si rien n’arrive, regardez dans le courrier indésirable.',
    code: 'Code',
    button: 'Continuer',
    wrong: 'Ce code est faux ou trop ancien.',
  },
  ask: {
    title: 'Vous avez déjà un compte',
    account: { before: 'Il existe un compte avec l’adresse ', after: '.' },
    why: (provider) => `Montrez qu’il est à vous. Il sera alors lié à ${provider}, qui vous connectera désormais.`,
    password: 'Mot de passe du compte',
    button: 'Lier et se connecter',
    wrongPassword: 'Ce n’est pas le mot de passe du compte.',
    missingPassword: 'Saisissez le mot de passe du compte.',
    code: { intro: 'Ou recevez un e-mail avec un code à l’adresse du compte.', button: 'Envoyer le code' },
    startOver: {
      summary: 'Je n’ai pas créé ce compte, ou je ne connais pas le mot de passe',
      effect:
        'Personne n’a encore montré que cette adresse est la sienne. Vous l’avez fait, le compte devient donc le vôtre. Son mot de passe est supprimé, tous les appareils sont déconnectés, ses clés d’API et ses autres liens sont supprimés.',
      button: 'Recommencer comme propriétaire de l’adresse',
    },
  },
  failures: {
    failed: {
      title: 'La connexion n’a pas marché',
      text: 'L’autre service n’a pas confirmé qui vous êtes. Réessayez.',
    },
    expired: {
      title: 'Cette connexion a expiré',
      text: 'Elle est restée ouverte trop longtemps, ou elle a commencé dans un autre navigateur. Votre navigateur doit accepter les cookies de cette page.',
    },
    taken: {
      title: 'Ce compte ne peut pas être lié',
      text: 'Il est lié à un autre compte ici, ou votre compte est lié à un autre là-bas. Rien n’a été changé.',
    },
    refused: { title: 'La connexion n’a pas marché', text: 'Vous ne pouvez pas vous connecter avec ce compte.' },
    closed: { title: 'Les inscriptions sont fermées', text: 'Demandez un compte aux responsables de ce service.' },
    unverified: {
      title: 'L’adresse n’est pas confirmée',
      text: 'L’autre service ne confirme pas votre adresse e-mail. Connectez-vous autrement.',
    },
    addressTaken: { title: 'Cette adresse ne peut pas être utilisée', text: 'Elle est réservée à un autre compte.' },
    domain: {
      title: 'Cette adresse ne peut pas être utilisée',
      text: 'Les adresses de ce domaine ne peuvent pas s’inscrire ici.',
    },
  },
  back: 'Retour à la connexion',
}

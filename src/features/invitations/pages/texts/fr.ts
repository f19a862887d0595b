import type { InvitationTexts } from './text.ts'

export const fr: InvitationTexts = {
  title: 'Accepter l’invitation',
  account: { before: 'Il s’agit du compte dont l’adresse est ', after: '.' },
  effect: 'Choisissez un mot de passe. Vous vous connecterez ensuite avec lui et avec le nom d’utilisateur.',
  firstAdmin: 'Vous devenez le premier administrateur de ce service.',
  existing:
    'Tout ce qui était défini pour ce compte est supprimé\u00a0: le mot de passe, toutes les connexions et toutes les clés d’API.',
  username: 'Nom d’utilisateur',
  usernameTaken: 'Quelqu’un a déjà ce nom d’utilisateur. Choisissez-en un autre.',
  invalidUsername:
    'Ce nom d’utilisateur n’est pas possible. Prenez de 3 à 32 lettres sans accents, chiffres, points, tirets ou tirets bas.',
  button: 'Enregistrer le mot de passe',
  done: {
    title: 'Votre compte est prêt',
    text: 'Connectez-vous maintenant avec votre nom d’utilisateur et le nouveau mot de passe.',
  },
  dead: {
    title: 'Ce lien n’est plus valable',
    text: 'Un lien fonctionne une seule fois et pendant un temps limité, et seul le plus récent est valable. Si vous avez déjà accepté l’invitation, connectez-vous. Sinon, demandez une nouvelle invitation.',
  },
}

import type { VerificationTexts } from './text.ts'

export const fr: VerificationTexts = {
  forgot: {
    title: 'Mot de passe oublié ?',
    intro:
      'Saisissez l’adresse e-mail de votre compte. Vous recevrez un e-mail avec un lien pour choisir un nouveau mot de passe.',
    email: 'Adresse e-mail',
    button: 'Envoyer le lien',
    invalidEmail: 'Saisissez une seule adresse e-mail, par exemple nom@example.com.',
    sent: {
      title: 'Consultez votre messagerie',
      text: 'Si un compte a cette adresse, un e-mail est en route. Son lien est valable 30 minutes. Si rien n’arrive, regardez dans les indésirables.',
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
  newPassword: {
    label: 'Nouveau mot de passe',
    hint: (minLength) => `Au moins ${minLength} caractères. Quelques mots sans rapport entre eux conviennent bien.`,
    errors: {
      malformed: () => 'Ce texte ne peut pas être un mot de passe. Choisissez-en un autre.',
      too_long: () => 'Le mot de passe doit avoir au plus 256 caractères.',
      too_short: (minLength) => `Le mot de passe doit avoir au moins ${minLength} caractères.`,
      common: () => 'Beaucoup de gens utilisent ce mot de passe. Choisissez-en un autre.',
      pattern: () => 'Ce mot de passe est facile à deviner. Choisissez-en un autre.',
      own_name: () => 'Le mot de passe ne doit pas être votre nom d’utilisateur ou votre adresse e-mail.',
      service_name: () => 'Le mot de passe ne doit pas être le nom du service.',
    },
    refused: 'Ce mot de passe ne convient pas. Choisissez-en un autre.',
  },
}

import type { KitTexts } from './text.ts'

export const fr: KitTexts = {
  support: { before: 'Des questions\u00a0? Écrivez à ', after: '.' },
  titleWithError: (title) => `Erreur\u00a0: ${title}`,
  toApp: (app) => `Continuer vers ${app}`,
  again: 'Réessayer',
  waitFor: (when) => `Rien n’a été modifié. Réessayez ${when}.`,
  problems: {
    bad_request: {
      title: 'La demande n’a pas pu être lue',
      text: 'Revenez en arrière et envoyez de nouveau le formulaire.',
    },
    bad_address: {
      title: 'La demande n’a pas pu être lue',
      text: 'Vérifiez l’adresse, ou ouvrez de nouveau le lien reçu par e-mail.',
    },
    csrf_refused: {
      title: 'Le formulaire ne vient pas de cette page',
      text: 'Pour votre sécurité, rien n’a été modifié. Ouvrez de nouveau la page et envoyez le formulaire depuis celle-ci.',
    },
    not_found: {
      title: 'Cette page n’existe pas',
      text: 'Vérifiez l’adresse, ou ouvrez de nouveau le lien reçu par e-mail.',
    },
    rate_limited: { title: 'Trop de tentatives', text: 'Rien n’a été modifié.' },
    busy: { title: 'Le service est très sollicité', text: 'Rien n’a été modifié. Réessayez dans un instant.' },
    mail_not_configured: {
      title: 'Ce service ne peut pas envoyer d’e-mails',
      text: 'Demandez de l’aide aux responsables du service.',
    },
    internal: {
      title: 'Une erreur s’est produite',
      text: 'L’erreur vient de nous et a été enregistrée. Réessayez plus tard.',
    },
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
      own_name: () => 'Le mot de passe ne doit être ni votre nom d’utilisateur ni votre adresse e-mail.',
      service_name: () => 'Le mot de passe ne doit pas être le nom du service.',
    },
    refused: 'Ce mot de passe ne convient pas. Choisissez-en un autre.',
  },
}

import type { SignInTexts } from './text.ts'

export const fr: SignInTexts = {
  logIn: {
    title: 'Se connecter',
    toClient: (client) => `Connectez-vous pour continuer vers ${client}.`,
    again: 'Saisissez encore une fois votre mot de passe pour continuer.',
    identifier: 'Nom d’utilisateur ou adresse e-mail',
    password: 'Mot de passe',
    remember: 'Rester connecté sur cet appareil',
    button: 'Se connecter',
    wrong: { title: 'Nom d’utilisateur ou mot de passe incorrect', text: 'Vérifiez les deux et réessayez.' },
    missingIdentifier: 'Saisissez votre nom d’utilisateur ou votre adresse e-mail.',
    missingPassword: 'Saisissez votre mot de passe.',
    forgot: 'Mot de passe oublié\u00a0?',
    register: 'Créer un compte',
    dead: {
      title: 'Cette connexion a expiré',
      text: 'Elle est restée ouverte trop longtemps ou a commencé dans un autre navigateur. Votre navigateur doit accepter les cookies de cette page.',
      button: 'Recommencer',
    },
  },
  logOut: {
    title: 'Se déconnecter',
    text: 'Vous êtes connecté dans ce navigateur.',
    button: 'Se déconnecter',
    done: { title: 'Vous êtes déconnecté', text: 'Ce navigateur n’est plus connecté.' },
    again: 'Se connecter',
  },
}

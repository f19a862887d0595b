import type { OpenIdTexts } from './text.ts'

export const fr: OpenIdTexts = {
  refused: {
    request: {
      title: 'Cette demande de connexion est illisible',
      text: 'Retournez à l’application et recommencez. Si cela ne suffit pas, prévenez ceux qui l’exploitent.',
    },
    client: {
      title: 'Cette application n’est pas connue ici',
      text: 'Elle a peut-être été supprimée ou désactivée. Prévenez ceux qui l’exploitent.',
    },
    redirect_uri: {
      title: 'Cette application n’est pas configurée pour cette adresse',
      text: 'Elle a demandé un retour vers une adresse qui n’est pas enregistrée pour elle. Prévenez ceux qui l’exploitent.',
    },
  },
  stale: {
    title: 'Cette demande a expiré',
    text: 'Retournez à l’application et recommencez.',
  },
  requestId: (id) => `Pour eux : demande ${id}`,
  consent: {
    title: (client) => `Continuer vers ${client} ?`,
    account: (username) => `Vous êtes connecté en tant que ${username}.`,
    intro: (client) => `${client} souhaite :`,
    scopes: {
      openid: 'savoir que c’est vous',
      profile: 'voir votre nom et votre nom d’utilisateur',
      email: 'voir votre adresse e-mail',
      groups: 'voir vos rôles',
      offline_access: 'rester connecté même après votre déconnexion ici',
    },
    otherScope: (scope) => `utiliser « ${scope} »`,
    goesTo: (address) => `Vous serez ensuite dirigé vers ${address}.`,
    unvouched:
      'C’est un programme sur votre appareil. Son nom ne peut pas être vérifié : ne l’autorisez que si vous venez de le lancer vous-même.',
    allow: 'Autoriser',
    deny: 'Ne pas autoriser',
    otherAccount: 'Utiliser un autre compte',
  },
  handOver: {
    title: 'C’est presque fini',
    text: (client) => `Vous continuez vers ${client}.`,
    button: 'Continuer',
  },
  logout: {
    title: 'Se déconnecter ?',
    account: (username) => `Vous êtes connecté en tant que ${username}.`,
    by: (client) =>
      `${client} le demande. Vous serez aussi déconnecté des autres applications ouvertes avec ce navigateur.`,
    button: 'Se déconnecter',
    done: { title: 'Vous êtes déconnecté', text: 'Vous pouvez fermer cette page.' },
  },
  device: {
    title: 'Se connecter sur un appareil',
    intro: 'Saisissez le code affiché par l’appareil.',
    code: 'Code',
    next: 'Continuer',
    wrong: 'Ce code n’est pas le bon, ou il a expiré. Regardez de nouveau l’appareil.',
    ask: (client) => `Se connecter à ${client} sur l’appareil ?`,
    warning: 'N’autorisez que si l’appareil est devant vous. Si quelqu’un vous a envoyé ce code, n’autorisez pas.',
    asked: (ip, ago) => `L’appareil a fait sa demande ${ago}, depuis l’adresse ${ip}.`,
    allowed: { title: 'L’appareil est connecté', text: 'Regardez l’appareil. Vous pouvez fermer cette page.' },
    denied: { title: 'L’appareil a été refusé', text: 'Il n’a aucun accès. Vous pouvez fermer cette page.' },
  },
}

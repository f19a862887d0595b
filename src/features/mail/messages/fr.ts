import type { Catalogue } from './message.ts'

export const fr: Catalogue = {
  dates: 'fr-FR',
  greeting: { named: 'Bonjour {{username}},', plain: 'Bonjour,' },
  footer: {
    why: '{{app}} vous envoie ce message au sujet de votre compte. Vous ne pouvez pas y répondre.',
    support: 'Des questions ? Écrivez à {{support}}.',
  },
  facts: { time: 'Date', ip: 'Adresse IP', device: 'Appareil' },
  messages: {
    test: {
      subject: 'Les messages de {{app}} arrivent',
      before: ['Ceci est un test. Si vous le lisez, {{app}} peut envoyer des messages à cette adresse.'],
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
    session_reused: {
      subject: 'Vous avez été déconnecté de {{app}} sur un appareil',
      before: [
        'Une connexion à votre compte {{app}} a été utilisée à deux endroits à la fois. Cela arrive quand quelqu’un la copie, ou quand un appareil est restauré depuis une sauvegarde. Par sécurité, nous avons mis fin à cette connexion.',
      ],
      after: [
        'Si vous avez restauré un appareil ou déplacé une application, reconnectez-vous sur celui-ci ; vous n’avez rien d’autre à faire.',
        'Sinon, changez votre mot de passe et fermez toutes les autres sessions de votre compte.',
      ],
    },
  },
}

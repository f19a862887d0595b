import type { SignInTexts } from './text.ts'

export const de: SignInTexts = {
  logIn: {
    title: 'Anmelden',
    toClient: (client) => `Melden Sie sich an, um zu ${client} zu gelangen.`,
    again: 'Geben Sie Ihr Passwort noch einmal ein, um fortzufahren.',
    identifier: 'Benutzername oder E-Mail-Adresse',
    password: 'Passwort',
    remember: 'Auf diesem Gerät angemeldet bleiben',
    button: 'Anmelden',
    wrong: {
      title: 'Benutzername oder Passwort ist falsch',
      text: 'Prüfen Sie beides und versuchen Sie es noch einmal.',
    },
    missingIdentifier: 'Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein.',
    missingPassword: 'Geben Sie Ihr Passwort ein.',
    forgot: 'Passwort vergessen?',
    register: 'Konto anlegen',
    dead: {
      title: 'Diese Anmeldung ist abgelaufen',
      text: 'Sie war zu lange offen oder begann in einem anderen Browser. Ihr Browser muss Cookies dieser Seite annehmen.',
      button: 'Noch einmal beginnen',
    },
  },
  logOut: {
    title: 'Abmelden',
    text: 'Sie sind in diesem Browser angemeldet.',
    button: 'Abmelden',
    done: { title: 'Sie sind abgemeldet', text: 'Dieser Browser ist nicht mehr angemeldet.' },
    again: 'Anmelden',
  },
}

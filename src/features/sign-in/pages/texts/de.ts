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
    withProvider: (provider) => `Weiter mit ${provider}`,
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
  register: {
    title: 'Konto anlegen',
    email: 'E-Mail-Adresse',
    username: 'Benutzername',
    usernameHint: '3 bis 32 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche.',
    password: 'Passwort',
    button: 'Konto anlegen',
    invalidEmail: 'Geben Sie genau eine E-Mail-Adresse ein, zum Beispiel name@example.com.',
    refusedDomain: 'Mit Adressen dieser Domain kann man sich hier nicht registrieren. Nehmen Sie eine andere.',
    emailTaken: 'Zu dieser Adresse gibt es schon ein Konto. Melden Sie sich an oder wählen Sie ein neues Passwort.',
    usernameTaken: 'Diesen Benutzernamen hat schon jemand. Wählen Sie einen anderen.',
    invalidUsername:
      'Nehmen Sie 3 bis 32 Buchstaben ohne Akzente und Umlaute, Ziffern, Punkte, Binde- oder Unterstriche.',
    reservedUsername: 'Dieser Benutzername ist reserviert. Wählen Sie einen anderen.',
    closed: {
      title: 'Die Registrierung ist geschlossen',
      text: 'Bitten Sie die Betreiber dieses Dienstes um ein Konto.',
    },
    logIn: 'Ich habe schon ein Konto',
    consent: {
      both: { before: 'Mit einem Konto stimmen Sie den ', between: ' und der ', after: ' zu.' },
      terms: { before: 'Mit einem Konto stimmen Sie den ', between: '', after: ' zu.' },
      privacy: { before: 'Lesen Sie die ', between: '', after: '.' },
    },
    terms: 'Nutzungsbedingungen',
    privacy: 'Datenschutzerklärung',
    sent: {
      title: 'Sehen Sie in Ihrem Postfach nach',
      text: 'Eine E-Mail ist unterwegs. Der Link darin gilt 24 Stunden und schließt die Registrierung ab. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach.',
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

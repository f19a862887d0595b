import type { VerificationTexts } from './text.ts'

export const de: VerificationTexts = {
  forgot: {
    title: 'Passwort vergessen?',
    intro:
      'Geben Sie die E-Mail-Adresse Ihres Kontos ein. Sie erhalten eine Mail mit einem Link, über den Sie ein neues Passwort wählen.',
    email: 'E-Mail-Adresse',
    button: 'Link schicken',
    invalidEmail: 'Geben Sie eine einzelne E-Mail-Adresse ein, zum Beispiel name@example.com.',
    sent: {
      title: 'Sehen Sie in Ihr Postfach',
      text: 'Wenn ein Konto diese Adresse hat, ist eine Mail unterwegs. Ihr Link gilt 30 Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach.',
    },
    again: 'Noch einen Link schicken',
  },
  reset: {
    title: 'Neues Passwort wählen',
    account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
    effect: 'Alle Geräte werden abgemeldet. Danach melden Sie sich mit dem neuen Passwort an.',
    button: 'Neues Passwort speichern',
    done: {
      title: 'Ihr Passwort wurde geändert',
      text: 'Alle Geräte wurden abgemeldet. Melden Sie sich jetzt mit dem neuen Passwort an.',
    },
    dead: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Ein Link gilt einmal und 30 Minuten lang, und nur der neueste gilt. Ihr Passwort wurde nicht geändert.',
    },
    askAgain: 'Neuen Link anfordern',
  },
  newPassword: {
    label: 'Neues Passwort',
    hint: (minLength) => `Mindestens ${minLength} Zeichen. Gut sind ein paar Wörter, die nicht zusammengehören.`,
    errors: {
      malformed: () => 'Dieser Text kann kein Passwort sein. Wählen Sie ein anderes.',
      too_long: () => 'Das Passwort darf höchstens 256 Zeichen haben.',
      too_short: (minLength) => `Das Passwort muss mindestens ${minLength} Zeichen haben.`,
      common: () => 'Dieses Passwort benutzen viele. Wählen Sie ein anderes.',
      pattern: () => 'Dieses Passwort ist leicht zu erraten. Wählen Sie ein anderes.',
      own_name: () => 'Das Passwort darf nicht Ihr Benutzername oder Ihre E-Mail-Adresse sein.',
      service_name: () => 'Das Passwort darf nicht der Name des Dienstes sein.',
    },
    refused: 'Dieses Passwort geht nicht. Wählen Sie ein anderes.',
  },
}

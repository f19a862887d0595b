import type { KitTexts } from './text.ts'

export const de: KitTexts = {
  support: { before: 'Fragen? Schreiben Sie an ', after: '.' },
  titleWithError: (title) => `Fehler: ${title}`,
  toApp: (app) => `Weiter zu ${app}`,
  again: 'Noch einmal versuchen',
  waitFor: (when) => `Es wurde nichts geändert. Versuchen Sie es ${when} noch einmal.`,
  problems: {
    bad_request: {
      title: 'Die Anfrage war nicht lesbar',
      text: 'Gehen Sie zurück und senden Sie das Formular noch einmal ab.',
    },
    bad_address: {
      title: 'Die Anfrage war nicht lesbar',
      text: 'Prüfen Sie die Adresse, oder öffnen Sie noch einmal den Link aus der E-Mail.',
    },
    csrf_refused: {
      title: 'Das Formular kam nicht von dieser Seite',
      text: 'Zu Ihrer Sicherheit wurde nichts geändert. Öffnen Sie die Seite noch einmal und senden Sie das Formular von dort ab.',
    },
    not_found: {
      title: 'Diese Seite gibt es nicht',
      text: 'Prüfen Sie die Adresse, oder öffnen Sie noch einmal den Link aus der E-Mail.',
    },
    rate_limited: { title: 'Zu viele Versuche', text: 'Es wurde nichts geändert.' },
    busy: {
      title: 'Der Dienst ist ausgelastet',
      text: 'Es wurde nichts geändert. Versuchen Sie es gleich noch einmal.',
    },
    mail_not_configured: {
      title: 'Dieser Dienst kann keine E-Mails verschicken',
      text: 'Bitten Sie die Betreiber um Hilfe.',
    },
    internal: {
      title: 'Etwas ist schiefgegangen',
      text: 'Der Fehler liegt bei uns und wurde protokolliert. Versuchen Sie es später noch einmal.',
    },
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
    refused: 'Dieses Passwort ist nicht erlaubt. Wählen Sie ein anderes.',
  },
}

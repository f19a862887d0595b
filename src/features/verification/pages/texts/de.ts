import type { VerificationTexts } from './text.ts'

export const de: VerificationTexts = {
  forgot: {
    title: 'Passwort vergessen?',
    intro:
      'Geben Sie die E-Mail-Adresse Ihres Kontos ein. Sie erhalten eine E-Mail mit einem Link, über den Sie ein neues Passwort wählen.',
    email: 'E-Mail-Adresse',
    button: 'Link schicken',
    invalidEmail: 'Geben Sie genau eine E-Mail-Adresse ein, zum Beispiel name@example.com.',
    sent: {
      title: 'Sehen Sie in Ihrem Postfach nach',
      text: 'Wenn es zu dieser Adresse ein Konto gibt, ist eine E-Mail unterwegs. Der Link darin gilt 30 Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach.',
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
      text: 'Ein Link gilt nur einmal und nur 30 Minuten lang, und es gilt nur der neueste. Ihr Passwort wurde nicht geändert.',
    },
    askAgain: 'Neuen Link anfordern',
  },
  verify: {
    title: 'Bestätigen Sie Ihre Adresse',
    account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
    why: 'Jemand anders könnte sich mit Ihrer Adresse registriert haben. Weisen Sie deshalb nach, dass das Konto Ihnen gehört.',
    password: 'Passwort des Kontos',
    button: 'Adresse bestätigen',
    wrongPassword: 'Das ist nicht das Passwort des Kontos.',
    missingPassword: 'Geben Sie das Passwort des Kontos ein.',
    other: {
      summary: 'Ich habe mich nicht registriert oder kenne das Passwort nicht',
      effect:
        'Wählen Sie ein neues Passwort. Das alte gilt dann nicht mehr, alle Geräte werden abgemeldet, und alle API-Schlüssel des Kontos werden widerrufen.',
      button: 'Adresse bestätigen und Passwort setzen',
    },
    username: 'Benutzername',
    usernameTaken: 'Dieser Benutzername ist inzwischen vergeben. Wählen Sie einen anderen.',
    invalidUsername: 'Dieser Benutzername ist nicht erlaubt. Wählen Sie einen anderen.',
    done: { title: 'Ihre Adresse ist bestätigt', text: 'Sie können sich jetzt anmelden.' },
    dead: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Ein Link gilt nur einmal und nur 24 Stunden lang, und es gilt nur der neueste. Wenn Sie Ihre Adresse schon bestätigt haben, müssen Sie nichts tun. Wenn nicht, fordern Sie in der Anwendung einen neuen Link an.',
    },
  },
  confirm: {
    title: 'Bestätigen Sie Ihre neue Adresse',
    account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
    next: { before: 'Seine neue Adresse ist dann ', after: '.' },
    effect:
      'Andere Geräte werden abgemeldet. Die alte Adresse erhält eine E-Mail, mit der sich die Änderung 72 Stunden lang rückgängig machen lässt.',
    button: 'Adresse ändern',
    taken: { title: 'Diese Adresse gehört zu einem anderen Konto', text: 'Es wurde nichts geändert.' },
    done: {
      title: 'Ihre Adresse wurde geändert',
      text: 'Melden Sie sich ab jetzt mit der neuen Adresse an. Auch E-Mails gehen dorthin.',
    },
    dead: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Ein Link gilt nur einmal und nur 24 Stunden lang, und es gilt nur der neueste. Ihre Adresse wurde diesmal nicht geändert.',
    },
  },
  undo: {
    title: 'Änderung der Adresse rückgängig machen',
    account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
    next: { before: 'Es erhält wieder die Adresse ', after: '.' },
    effect:
      'Alle Geräte werden abgemeldet, alle API-Schlüssel widerrufen, und das Passwort wird entfernt. An diese Adresse geht dann eine E-Mail mit einem Link, über den Sie ein neues Passwort wählen.',
    button: 'Änderung rückgängig machen',
    done: {
      title: 'Die Änderung wurde rückgängig gemacht',
      text: 'Eine E-Mail mit einem Link, über den Sie ein neues Passwort wählen, ist unterwegs. Bis dahin kann sich niemand in dem Konto anmelden.',
    },
    dead: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Ein Link gilt nur einmal und nur 72 Stunden lang. Es wurde nichts geändert. Wenn jemand anders Ihr Konto benutzt, bitten Sie um Hilfe.',
    },
  },
  recovery: {
    title: 'Zweite Faktoren entfernen',
    account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
    effect:
      'Alle Authenticator-Apps, Passkeys, Sicherheitsschlüssel und Wiederherstellungscodes des Kontos werden entfernt, und alle Geräte werden abgemeldet. Danach melden Sie sich mit dem Passwort an und richten einen neuen zweiten Faktor ein.',
    password: 'Passwort des Kontos',
    button: 'Alle zweiten Faktoren entfernen',
    wrongPassword: 'Das ist nicht das Passwort des Kontos.',
    missingPassword: 'Geben Sie das Passwort des Kontos ein.',
    done: {
      title: 'Ihre zweiten Faktoren wurden entfernt',
      text: 'Alle Geräte wurden abgemeldet. Melden Sie sich jetzt mit Ihrem Passwort an und richten Sie einen neuen zweiten Faktor ein.',
    },
    dead: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Ein Link gilt nur einmal und nur 24 Stunden lang, und ein neues Passwort macht ihn ungültig. Es wurde nichts entfernt. Bitten Sie um einen neuen.',
    },
  },
}

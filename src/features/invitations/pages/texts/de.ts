import type { InvitationTexts } from './text.ts'

export const de: InvitationTexts = {
  title: 'Einladung annehmen',
  account: { before: 'Es geht um das Konto mit der Adresse ', after: '.' },
  effect: 'Wählen Sie ein Passwort. Damit und mit dem Benutzernamen melden Sie sich dann an.',
  firstAdmin: 'Sie werden der erste Administrator dieses Dienstes.',
  existing:
    'Alles, was für dieses Konto bisher gesetzt war, wird verworfen: das Passwort, alle Anmeldungen und alle API-Schlüssel.',
  username: 'Benutzername',
  usernameTaken: 'Diesen Benutzernamen hat schon jemand. Wählen Sie einen anderen.',
  invalidUsername:
    'Dieser Benutzername ist nicht möglich. Nehmen Sie 3 bis 32 Buchstaben ohne Akzente und Umlaute, Ziffern, Punkte, Binde- oder Unterstriche.',
  button: 'Passwort speichern',
  done: {
    title: 'Ihr Konto ist bereit',
    text: 'Melden Sie sich jetzt mit Ihrem Benutzernamen und dem neuen Passwort an.',
  },
  dead: {
    title: 'Dieser Link gilt nicht mehr',
    text: 'Ein Link gilt nur einmal und nur eine begrenzte Zeit, und es gilt nur der neueste. Wenn Sie die Einladung schon angenommen haben, melden Sie sich an. Wenn nicht, bitten Sie um eine neue Einladung.',
  },
}

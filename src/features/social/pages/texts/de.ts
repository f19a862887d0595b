import type { SocialTexts } from './text.ts'

export const de: SocialTexts = {
  address: {
    title: 'E-Mail-Adresse',
    intro: (provider) =>
      `${provider} hat keine E-Mail-Adresse genannt. Geben Sie Ihre ein; Sie bekommen eine E-Mail mit einem Code.`,
    email: 'E-Mail-Adresse',
    button: 'Code schicken',
    invalidEmail: 'Geben Sie eine E-Mail-Adresse ein, etwa name@example.com.',
  },
  code: {
    title: 'Sehen Sie in Ihr Postfach',
    sent: { before: 'Wir haben eine E-Mail mit einem Code an ', after: ' geschickt.' },
    hint: 'Der Code gilt 10 Minuten. Wenn nichts ankommt, sehen Sie im Spam-Ordner nach.',
    code: 'Code',
    button: 'Weiter',
    wrong: 'Dieser Code ist falsch oder zu alt.',
  },
  ask: {
    title: 'Sie haben schon ein Konto',
    account: { before: 'Es gibt ein Konto mit der Adresse ', after: '.' },
    why: (provider) =>
      `Zeigen Sie, dass es Ihnen gehört. Dann wird es mit ${provider} verknüpft, womit Sie sich künftig anmelden.`,
    password: 'Passwort des Kontos',
    button: 'Verknüpfen und anmelden',
    wrongPassword: 'Das ist nicht das Passwort des Kontos.',
    missingPassword: 'Geben Sie das Passwort des Kontos ein.',
    code: { intro: 'Oder bekommen Sie eine E-Mail mit einem Code an die Adresse des Kontos.', button: 'Code schicken' },
    startOver: {
      summary: 'Ich habe dieses Konto nicht angelegt oder kenne das Passwort nicht',
      effect:
        'Noch niemand hat gezeigt, dass ihm diese Adresse gehört. Sie haben es, also wird das Konto Ihres. Sein Passwort wird entfernt, alle Geräte werden abgemeldet, seine API-Schlüssel und anderen Verknüpfungen entfernt.',
      button: 'Als Besitzer der Adresse neu beginnen',
    },
  },
  failures: {
    failed: {
      title: 'Die Anmeldung hat nicht geklappt',
      text: 'Der andere Dienst hat nicht bestätigt, wer Sie sind. Versuchen Sie es noch einmal.',
    },
    expired: {
      title: 'Diese Anmeldung ist abgelaufen',
      text: 'Sie war zu lange offen oder begann in einem anderen Browser. Ihr Browser muss Cookies dieser Seite annehmen.',
    },
    taken: {
      title: 'Dieses Konto kann nicht verknüpft werden',
      text: 'Es ist mit einem anderen Konto hier verknüpft, oder Ihr Konto mit einem anderen dort. Nichts wurde geändert.',
    },
    refused: { title: 'Die Anmeldung hat nicht geklappt', text: 'Mit diesem Konto können Sie sich nicht anmelden.' },
    closed: {
      title: 'Die Registrierung ist geschlossen',
      text: 'Bitten Sie die Betreiber dieses Dienstes um ein Konto.',
    },
    unverified: {
      title: 'Die Adresse ist nicht bestätigt',
      text: 'Der andere Dienst bestätigt Ihre E-Mail-Adresse nicht. Melden Sie sich auf andere Weise an.',
    },
    addressTaken: {
      title: 'Diese Adresse kann nicht benutzt werden',
      text: 'Sie ist für ein anderes Konto reserviert.',
    },
    domain: {
      title: 'Diese Adresse kann nicht benutzt werden',
      text: 'Adressen dieser Domain können sich hier nicht registrieren.',
    },
  },
  back: 'Zurück zur Anmeldung',
}

import type { Catalogue } from './message.ts'

export const de: Catalogue = {
  dates: 'de-DE',
  greeting: { named: 'Hallo {{username}},', plain: 'Hallo,' },
  footer: {
    why: '{{app}} schickt Ihnen diese Nachricht wegen Ihres Kontos. Sie können nicht darauf antworten.',
    support: 'Fragen? Schreiben Sie an {{support}}.',
  },
  facts: { time: 'Zeit', ip: 'IP-Adresse', device: 'Gerät' },
  messages: {
    test: {
      subject: 'E-Mails von {{app}} kommen an',
      before: ['Das ist ein Test. Wenn Sie ihn lesen, kann {{app}} E-Mails an diese Adresse schicken.'],
      after: [],
    },
    password_changed: {
      subject: 'Ihr Passwort bei {{app}} wurde geändert',
      before: ['Das Passwort Ihres Kontos bei {{app}} wurde geändert. Andere Geräte wurden abgemeldet.'],
      after: [
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn nicht, hat vielleicht jemand anders Zugriff auf Ihr Konto. Wenden Sie sich sofort an die Betreiber von {{app}}.',
      ],
    },
    session_reused: {
      subject: 'Sie wurden bei {{app}} auf einem Gerät abgemeldet',
      before: [
        'Eine Anmeldung an Ihrem Konto bei {{app}} wurde an zwei Stellen zugleich benutzt. Das geschieht, wenn jemand sie kopiert oder wenn ein Gerät aus einer Sicherung wiederhergestellt wird. Zur Sicherheit haben wir diese Anmeldung beendet.',
      ],
      after: [
        'Wenn Sie ein Gerät wiederhergestellt oder eine App umgezogen haben, melden Sie sich dort neu an. Mehr müssen Sie nicht tun.',
        'Wenn nicht, ändern Sie Ihr Passwort und beenden Sie alle anderen Sitzungen Ihres Kontos.',
      ],
    },
  },
}

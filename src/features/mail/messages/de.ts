import { factorMessages } from './factors.de.ts'
import type { Catalogue } from './message.ts'
import { policyMessages } from './policy.de.ts'

export const de: Catalogue = {
  dates: 'de-DE',
  greeting: { named: 'Hallo {{username}},', plain: 'Hallo,' },
  footer: {
    why: '{{app}} schickt Ihnen diese E-Mail wegen Ihres Kontos. Sie können nicht darauf antworten.',
    support: 'Fragen? Schreiben Sie an {{support}}.',
  },
  colon: ': ',
  facts: {
    time: 'Zeitpunkt',
    ip: 'IP-Adresse',
    device: 'Gerät',
    address: 'Neue Adresse',
    provider: 'Anbieter',
    due: 'Nötig ab',
    factor: 'Faktor',
    left: 'Übrige Codes',
  },
  code: {
    only: 'Ihr Code, {{code_minutes}} Minuten lang gültig:',
    also: 'Oder geben Sie diesen Code ein, {{code_minutes}} Minuten lang gültig:',
  },
  messages: {
    ...policyMessages,
    ...factorMessages,
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
    new_device: {
      subject: 'Neue Anmeldung bei {{app}}',
      before: [
        'Jemand hat sich in Ihrem Konto bei {{app}} mit einem Gerät und aus einem Netz angemeldet, die wir noch nicht kennen.',
      ],
      after: [
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn nicht, kennt jemand anders Ihr Passwort oder liest Ihre E-Mails. Ändern Sie sofort das Passwort und beenden Sie alle anderen Sitzungen Ihres Kontos.',
      ],
    },
    session_reused: {
      subject: 'Sie wurden bei {{app}} auf einem Gerät abgemeldet',
      before: [
        'Eine Anmeldung in Ihrem Konto bei {{app}} wurde an zwei Stellen zugleich benutzt. Das geschieht, wenn jemand sie kopiert oder wenn ein Gerät aus einer Sicherung wiederhergestellt wird. Zur Sicherheit haben wir diese Anmeldung beendet.',
      ],
      after: [
        'Wenn Sie ein Gerät wiederhergestellt oder eine App umgezogen haben, melden Sie sich dort neu an. Mehr müssen Sie nicht tun.',
        'Wenn nicht, ändern Sie Ihr Passwort und beenden Sie alle anderen Sitzungen Ihres Kontos.',
      ],
    },
    link_identity: {
      subject: 'Ihr Code für {{app}}',
      before: [
        'Jemand, wahrscheinlich Sie, meldet sich bei {{app}} mit {{provider}} an und hat diese Adresse angegeben. Der Code bestätigt, dass die Adresse Ihnen gehört. Wenn Sie ein Konto bei {{app}} haben, kann es dann mit {{provider}} verknüpft werden.',
      ],
      after: [
        'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Geben Sie den Code an niemanden weiter: Niemand bei {{app}} fragt danach.',
      ],
    },
    wrong_codes: {
      subject: 'Falsche Codes für Ihr Konto bei {{app}}',
      before: [
        'Jemand hat beim Anmelden in Ihrem Konto bei {{app}} fünf falsche Codes einer Authenticator-App eingegeben. Wer so weit kommt, kennt Ihr Passwort oder liest Ihre E-Mails.',
      ],
      after: [
        'Wenn Sie das waren, prüfen Sie, ob die Uhr Ihres Telefons richtig geht.',
        'Wenn nicht: Niemand ist hineingekommen, aber ändern Sie sofort Ihr Passwort.',
      ],
    },
    codes_locked: {
      subject: 'Codes sind für Ihr Konto bei {{app}} gesperrt',
      before: [
        'Für Ihr Konto bei {{app}} wurden 100 falsche Codes nacheinander eingegeben. Codes von Authenticator-Apps werden deshalb nicht mehr angenommen.',
      ],
      after: [
        'Melden Sie sich mit einem Passkey, einem Sicherheitsschlüssel oder einem Wiederherstellungscode an: Danach werden Codes wieder angenommen. Wenn Sie nichts davon haben, wenden Sie sich an die Betreiber von {{app}}.',
        'Wenn Sie diese Codes nicht eingegeben haben, kennt jemand anders Ihr Passwort. Ändern Sie es sofort.',
      ],
    },
    identity_linked: {
      subject: 'Sie können sich bei {{app}} jetzt mit {{provider}} anmelden',
      before: [
        'Ein Konto bei {{provider}} wurde mit Ihrem Konto bei {{app}} verknüpft. Wer es benutzt, kann sich in Ihrem Konto anmelden.',
      ],
      after: [
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn nicht, lösen Sie die Verknüpfung in Ihrem Konto und ändern Sie sofort Ihr Passwort.',
      ],
    },
    identity_unlinked: {
      subject: '{{provider}} meldet Sie nicht mehr bei {{app}} an',
      before: ['Ein Konto bei {{provider}} ist nicht mehr mit Ihrem Konto bei {{app}} verknüpft.'],
      after: [
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn nicht, ändern Sie Ihr Passwort und beenden Sie alle anderen Sitzungen Ihres Kontos.',
      ],
    },
    identity_account: {
      subject: 'Ihr Konto bei {{app}}',
      before: [
        'Jemand, wahrscheinlich Sie, hat sich bei {{app}} mit {{provider}} angemeldet. Dabei wurde ein Konto mit dieser Adresse angelegt. Es hat kein Passwort.',
      ],
      after: [
        'Wenn Sie das waren, müssen Sie nichts tun.',
        'Wenn nicht, hat jemand Zugriff auf Ihr Konto bei {{provider}}. Wenden Sie sich an die Betreiber von {{app}}.',
      ],
    },
    identity_taken: {
      subject: '{{provider}} konnte bei {{app}} nicht verknüpft werden',
      before: [
        'Jemand wollte bei {{app}} ein Konto bei {{provider}} verknüpfen, das schon mit einem anderen Konto verknüpft ist. Beide Konten bekommen diese E-Mail. Nichts wurde geändert.',
      ],
      after: [
        'Wenn Sie zwei Konten bei {{app}} haben, lösen Sie zuerst die Verknüpfung im anderen.',
        'Wenn Sie das nicht waren, müssen Sie nichts tun.',
      ],
    },
    verify_email: {
      subject: 'Bestätigen Sie Ihre Adresse bei {{app}}',
      before: [
        'Jemand, wahrscheinlich Sie, hat diese Adresse für ein Konto bei {{app}} angegeben. Bitte bestätigen Sie, dass sie Ihnen gehört.',
      ],
      button: 'Adresse bestätigen',
      lifetime: 'Der Link gilt nur einmal, bis zum {{until}}.',
      after: ['Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Geben Sie den Code an niemanden weiter.'],
    },
    reset_password: {
      subject: 'Wählen Sie ein neues Passwort für {{app}}',
      before: ['Jemand, wahrscheinlich Sie, möchte ein neues Passwort für Ihr Konto bei {{app}}.'],
      button: 'Neues Passwort wählen',
      lifetime:
        'Der Link gilt nur einmal, {{minutes}} Minuten lang. Wenn das Konto ein Passwort hat, gilt es, bis Sie ein neues gewählt haben.',
      after: ['Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Es ändert sich nichts.'],
    },
    reset_by_admin: {
      subject: 'Wählen Sie ein neues Passwort für {{app}}',
      before: [
        'Ein Administrator von {{app}} schickt Ihnen diesen Link, mit dem Sie ein neues Passwort für Ihr Konto wählen.',
      ],
      button: 'Neues Passwort wählen',
      lifetime:
        'Der Link gilt nur einmal, {{minutes}} Minuten lang. Wenn das Konto ein Passwort hat, gilt es, bis Sie ein neues gewählt haben.',
      after: ['Wenn Sie das nicht erwarten, fragen Sie die Betreiber von {{app}}. Ohne den Link ändert sich nichts.'],
    },
    address_restored: {
      subject: 'Ihr Konto bei {{app}} ist zurück: Wählen Sie ein neues Passwort',
      before: [
        'Die Änderung der Adresse wurde rückgängig gemacht: Dies ist wieder die Adresse Ihres Kontos bei {{app}}. Alle Geräte wurden abgemeldet, und das Passwort wurde entfernt, weil vielleicht jemand anders es kennt.',
      ],
      button: 'Neues Passwort wählen',
      lifetime:
        'Der Link gilt nur einmal, {{minutes}} Minuten lang. Geben Sie danach an, dass Sie das Passwort vergessen haben.',
      after: [
        'Wenn Sie die Änderung nicht rückgängig gemacht haben, liest jemand anders Ihre E-Mails. Ändern Sie zuerst das Passwort Ihres Postfachs.',
      ],
    },
    log_in: {
      subject: 'Anmelden bei {{app}}',
      before: ['Jemand, wahrscheinlich Sie, möchte sich mit dieser E-Mail in Ihrem Konto bei {{app}} anmelden.'],
      button: 'Anmelden',
      lifetime: 'Der Link gilt nur einmal, {{minutes}} Minuten lang.',
      after: [
        'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Geben Sie den Code an niemanden weiter: Niemand bei {{app}} fragt danach.',
      ],
    },
    confirm_address: {
      subject: 'Bestätigen Sie Ihre neue Adresse bei {{app}}',
      before: ['Dies soll die neue Adresse eines Kontos bei {{app}} werden. Sie gilt, sobald Sie sie bestätigen.'],
      button: 'Neue Adresse bestätigen',
      lifetime: 'Der Link gilt nur einmal, bis zum {{until}}.',
      after: ['Wenn Sie das nicht waren, ignorieren Sie diese E-Mail: Es ändert sich nichts.'],
    },
    address_changed: {
      subject: 'Die Adresse Ihres Kontos bei {{app}} wurde geändert',
      before: ['Die Adresse Ihres Kontos bei {{app}} wurde geändert. E-Mails gehen nicht mehr an diese Adresse.'],
      button: 'Änderung rückgängig machen',
      lifetime:
        'Der Link gilt nur einmal, bis zum {{until}}. Er stellt diese Adresse wieder her, meldet alle Geräte ab und entfernt das Passwort, damit Sie ein neues wählen können.',
      after: ['Wenn Sie das waren, müssen Sie nichts tun.', 'Wenn nicht, machen Sie die Änderung sofort rückgängig.'],
    },
    address_taken: {
      subject: 'Sie haben schon ein Konto bei {{app}}',
      before: [
        'Jemand, wahrscheinlich Sie, wollte diese Adresse für ein Konto bei {{app}} verwenden. Sie gehört schon zu Ihrem Konto, deshalb wurde nichts geändert.',
      ],
      after: [
        'Wenn Sie das waren, melden Sie sich in diesem Konto an. Wenn Sie das Passwort vergessen haben, wählen Sie dort ein neues.',
        'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail.',
      ],
    },
    invitation: {
      subject: 'Ihre Einladung zu {{app}}',
      before: ['Bei {{app}} wurde ein Konto für Sie angelegt. Wählen Sie ein Passwort, um es zu benutzen.'],
      button: 'Einladung annehmen',
      lifetime: 'Der Link gilt nur einmal, bis zum {{until}}.',
      after: [
        'Wenn Sie das nicht erwarten, ignorieren Sie diese E-Mail: Ohne ihren Link kann niemand das Konto benutzen.',
      ],
    },
    first_admin: {
      subject: 'Werden Sie der erste Administrator von {{app}}',
      before: [
        '{{app}} hat noch keinen Administrator, und die Einstellungen nennen diese Adresse. Wählen Sie ein Passwort, um der erste zu werden.',
      ],
      button: 'Administrator werden',
      lifetime: 'Der Link gilt nur einmal, bis zum {{until}}, und nur solange es keinen Administrator gibt.',
      after: ['Wenn Sie {{app}} nicht betreiben, ignorieren Sie diese E-Mail.'],
    },
  },
}

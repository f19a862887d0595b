import type { FactorTexts } from './text.ts'

export const fr: FactorTexts = {
  second: {
    title: 'Confirmer la connexion',
    other: 'Se connecter avec un autre compte',
    trust: (days) =>
      days === 1
        ? 'Ne pas le demander sur cet appareil pendant 1 jour'
        : `Ne pas le demander sur cet appareil pendant ${days} jours`,
    dead: {
      title: 'Cette connexion a expiré',
      text: 'Elle est restée ouverte plus de cinq minutes, ou il y a eu trop de mauvaises réponses. Connectez-vous de nouveau.',
      button: 'Se connecter de nouveau',
    },
  },
  stepUp: {
    title: 'Confirmez que c’est bien vous',
    text: 'Pour votre sécurité, parce que votre dernière confirmation remonte à un certain temps.',
    asked: { aal2: (app) => `${app} demande un second facteur.`, phr: (app) => `${app} demande une clé d’accès.` },
    back: (app) => `Revenir à ${app}`,
    password: 'Votre mot de passe',
    wrongPassword: 'Ce n’est pas votre mot de passe.',
    missingPassword: 'Saisissez votre mot de passe.',
  },
  ways: {
    use: {
      webauthn: 'Utiliser une clé d’accès ou une clé de sécurité',
      totp: 'Utiliser un code de votre application d’authentification',
      recovery_code: 'Utiliser un code de secours',
    },
    code: 'Code de votre application d’authentification',
    codeHint: 'L’application affiche 6 chiffres. Un code sert une seule fois.',
    recoveryCode: 'Code de secours',
    recoveryHint: 'L’un des codes que vous avez conservés, de 16 lettres et chiffres. Chacun sert une seule fois.',
    button: 'Continuer',
    missing: 'Saisissez le code.',
    wrongCode: 'Ce code n’est pas valable. Attendez que l’application en affiche un autre et saisissez-le.',
    wrongRecoveryCode: 'Ce code de secours n’est pas valable, ou il a déjà servi.',
    locked: {
      title: 'Les codes de votre application sont bloqués',
      text: 'Il y en a eu trop de mauvais. Utilisez une clé d’accès, une clé de sécurité ou un code de secours.',
    },
    lost: 'Si vous n’avez plus rien de tout cela, adressez-vous aux personnes qui gèrent ce service.',
  },
  webauthn: {
    signIn: 'Se connecter avec une clé d’accès',
    prove: 'Utiliser une clé d’accès ou une clé de sécurité',
    proveHint: 'Votre navigateur la demande quand vous appuyez sur le bouton.',
    cancelled: 'L’opération a été annulée ou a duré trop longtemps. Réessayez.',
    failed: 'L’opération a échoué. Réessayez.',
    exists: 'Cet appareil ou cette clé est déjà enregistré.',
    synced: 'Ce service n’accepte pas les clés d’accès synchronisées entre appareils. Utilisez une clé de sécurité.',
    unsupported: 'Ce navigateur ne peut pas utiliser de clés d’accès ni de clés de sécurité.',
    noScript:
      'Les clés d’accès et les clés de sécurité ont besoin de JavaScript, qui est désactivé dans ce navigateur.',
    refused: {
      title: 'La clé d’accès n’a pas été acceptée',
      text: 'Réessayez, ou connectez-vous d’une autre façon.',
    },
    unknown: {
      title: 'Cette clé d’accès ne fonctionne plus ici',
      text: 'Elle n’appartient à aucun compte. Supprimez-la de votre appareil et connectez-vous d’une autre façon.',
    },
    notAdded: {
      title: 'Rien n’a été ajouté',
      text: 'Le service n’a pas accepté cette clé d’accès ou cette clé de sécurité. Essayez-en une autre.',
    },
  },
  security: {
    title: 'Sécurité',
    intro:
      'L’un de ces moyens vous permet de confirmer une connexion. Avec une clé d’accès, vous vous connectez sans mot de passe.',
    none: 'Seul votre mot de passe protège votre compte. Ajoutez une clé d’accès ou une application d’authentification.',
    types: { totp: 'Application d’authentification', passkey: 'Clé d’accès', security_key: 'Clé de sécurité' },
    added: (when) => `Ajout\u00a0: ${when}`,
    lastUsed: (when) => `Dernière utilisation\u00a0: ${when}`,
    synced: 'synchronisée',
    unusable: 'Faite pour une ancienne adresse de ce service\u00a0; elle ne fonctionne plus.',
    add: {
      title: 'Ajouter',
      totp: 'Ajouter une application d’authentification',
      totpHint: 'À chaque connexion, vous saisissez un code qu’une application affiche sur votre téléphone.',
      passkey: 'Ajouter une clé d’accès',
      passkeyHint: 'Connectez-vous avec votre empreinte, votre visage ou le code de votre appareil.',
      key: 'Ajouter une clé de sécurité',
      keyHint:
        'Confirmez les connexions avec un petit appareil que vous branchez ou que vous approchez de votre téléphone.',
    },
    isAdded: 'Ajout effectué. Tous les autres appareils sont déconnectés.',
    isRemoved: 'Suppression effectuée. Tous les autres appareils sont déconnectés.',
    isRenamed: 'Vos modifications sont enregistrées.',
    tooMany: 'Vous ne pouvez pas en ajouter davantage. Supprimez-en un d’abord.',
  },
  trusted: {
    title: 'Appareils de confiance',
    text: 'Sur ces appareils, le mot de passe suffit\u00a0; le second facteur n’est pas demandé à la connexion.',
    until: (when) => `Jusqu’au ${when}`,
    end: 'Retirer la confiance',
    endAll: 'Retirer la confiance à tous',
    ended: 'La prochaine connexion y demandera le second facteur.',
  },
  factor: {
    name: 'Nom',
    invalidName: 'Ce nom ne convient pas. Il a de 1 à 100 caractères sur une ligne.',
    rename: 'Enregistrer le nom',
    remove: {
      title: 'Supprimer',
      text: 'Vous ne pourrez plus vous connecter avec. Tous les autres appareils seront déconnectés.',
      last: 'C’est le dernier\u00a0: vos codes de secours disparaissent aussi, et seul votre mot de passe protège votre compte.',
      button: 'Supprimer',
      password: 'Votre mot de passe',
    },
    required: 'Ce service exige un second facteur. Ajoutez-en d’abord un autre.',
    lastWay: 'C’est votre seul moyen de vous connecter. Choisissez d’abord un mot de passe.',
    gone: 'C’était déjà supprimé.',
  },
  totp: {
    title: 'Ajouter une application d’authentification',
    scan: 'Scannez cette image avec votre application d’authentification.',
    qr: 'Code QR avec la clé qui se trouve dessous',
    open: 'Ouvrir une application sur cet appareil',
    key: 'Ou saisissez cette clé dans l’application\u00a0:',
    code: 'Code que l’application affiche',
    codeHint: '6 chiffres.',
    button: 'Ajouter',
    wrong:
      'Ce code n’est pas valable. Vérifiez l’heure de votre appareil et saisissez le code que l’application affiche maintenant.',
    expired: 'Cela a duré trop longtemps. Recommencez.',
  },
  recovery: {
    title: 'Codes de secours',
    left: (count) => (count <= 1 ? `Il reste ${count} code.` : `Il reste ${count} codes.`),
    few: 'Créez-en de nouveaux avant d’en avoir besoin.',
    renew: 'Créer de nouveaux codes de secours',
    renewHint: 'Les anciens ne fonctionneront plus.',
  },
  codes: {
    title: 'Conservez ces codes',
    text: 'Ces codes de secours vous permettent de vous connecter si vous perdez votre appareil. Chacun sert une seule fois. Ils ne sont affichés que maintenant\u00a0: gardez-les en lieu sûr.',
    download: 'Télécharger',
    file: 'codes-de-secours',
    copy: 'Copier',
    copied: 'Copié.',
    print: 'Imprimer',
    saved: 'J’ai conservé les codes',
    button: 'Continuer',
  },
  enroll: {
    title: 'Protégez votre compte',
    text: 'Ce service exige un second facteur. Ajoutez-en un\u00a0; vous en aurez besoin à chaque connexion.',
    mailFirst:
      'Votre mot de passe seul ne suffit pas pour cela\u00a0: nous vous envoyons d’abord un e-mail avec un code. Commencez par une application d’authentification\u00a0; ensuite, vous pourrez aussi ajouter des clés d’accès et des clés de sécurité.',
    mail: {
      text: 'Un e-mail avec un code est en route.',
      code: 'Code reçu par e-mail',
      hint: '6 chiffres.',
      button: 'Continuer',
      send: 'Envoyer un autre code',
      wrong: 'Ce code n’est pas valable, ou il est trop ancien.',
    },
  },
}

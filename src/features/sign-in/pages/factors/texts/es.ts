import type { FactorTexts } from './text.ts'

export const es: FactorTexts = {
  second: {
    title: 'Confirmar el inicio de sesión',
    other: 'Iniciar sesión con otra cuenta',
    trust: (days) =>
      days === 1
        ? 'No preguntar en este dispositivo durante 1 día'
        : `No preguntar en este dispositivo durante ${days} días`,
    dead: {
      title: 'Este inicio de sesión ha caducado',
      text: 'Estuvo abierto más de cinco minutos o hubo demasiadas respuestas incorrectas. Inicie sesión de nuevo.',
      button: 'Iniciar sesión de nuevo',
    },
  },
  stepUp: {
    title: 'Confirme que es usted',
    text: 'Por su seguridad, porque su última confirmación fue hace tiempo.',
    asked: { aal2: (app) => `${app} pide un segundo factor.`, phr: (app) => `${app} pide una llave de acceso.` },
    back: (app) => `Volver a ${app}`,
    password: 'Su contraseña',
    wrongPassword: 'Esta no es su contraseña.',
    missingPassword: 'Escriba su contraseña.',
  },
  ways: {
    use: {
      webauthn: 'Usar una llave de acceso o una llave de seguridad',
      totp: 'Usar un código de su aplicación de autenticación',
      recovery_code: 'Usar un código de recuperación',
    },
    code: 'Código de su aplicación de autenticación',
    codeHint: 'La aplicación muestra 6 cifras. Cada código vale una vez.',
    recoveryCode: 'Código de recuperación',
    recoveryHint: 'Uno de los códigos que guardó, de 16 letras y cifras. Cada uno vale una vez.',
    button: 'Continuar',
    missing: 'Escriba el código.',
    wrongCode: 'Este código no es válido. Espere a que la aplicación muestre otro y escríbalo.',
    wrongRecoveryCode: 'Este código de recuperación no es válido o ya se ha usado.',
    locked: {
      title: 'Los códigos de su aplicación están bloqueados',
      text: 'Hubo demasiados incorrectos. Use una llave de acceso, una llave de seguridad o un código de recuperación.',
    },
    lost: 'Si ya no tiene nada de esto, pregunte a las personas que gestionan este servicio.',
  },
  webauthn: {
    signIn: 'Iniciar sesión con una llave de acceso',
    prove: 'Usar una llave de acceso o una llave de seguridad',
    proveHint: 'Su navegador la pide cuando pulsa el botón.',
    cancelled: 'Se ha cancelado o ha tardado demasiado. Inténtelo de nuevo.',
    failed: 'No ha funcionado. Inténtelo de nuevo.',
    exists: 'Este dispositivo o esta llave ya está registrado.',
    synced:
      'Este servicio no acepta llaves de acceso que se sincronizan entre dispositivos. Use una llave de seguridad.',
    unsupported: 'Este navegador no puede usar llaves de acceso ni llaves de seguridad.',
    noScript:
      'Las llaves de acceso y las llaves de seguridad necesitan JavaScript, que está desactivado en este navegador.',
    refused: {
      title: 'No se ha aceptado la llave de acceso',
      text: 'Inténtelo de nuevo o inicie sesión de otra forma.',
    },
    unknown: {
      title: 'Esta llave de acceso ya no sirve aquí',
      text: 'No pertenece a ninguna cuenta. Elimínela de su dispositivo e inicie sesión de otra forma.',
    },
    notAdded: {
      title: 'No se ha añadido nada',
      text: 'El servicio no ha aceptado esta llave de acceso o de seguridad. Pruebe con otra.',
    },
  },
  security: {
    title: 'Seguridad',
    intro:
      'Con uno de estos medios confirma un inicio de sesión. Con una llave de acceso inicia sesión sin contraseña.',
    none: 'Solo su contraseña protege su cuenta. Añada una llave de acceso o una aplicación de autenticación.',
    types: { totp: 'Aplicación de autenticación', passkey: 'Llave de acceso', security_key: 'Llave de seguridad' },
    added: (when) => `Añadido: ${when}`,
    lastUsed: (when) => `Último uso: ${when}`,
    synced: 'sincronizada',
    unusable: 'Hecha para una dirección anterior de este servicio; ya no sirve.',
    add: {
      title: 'Añadir',
      totp: 'Añadir una aplicación de autenticación',
      totpHint: 'En cada inicio de sesión escribe un código que muestra una aplicación de su teléfono.',
      passkey: 'Añadir una llave de acceso',
      passkeyHint: 'Inicie sesión con su huella, su cara o el PIN de su dispositivo.',
      key: 'Añadir una llave de seguridad',
      keyHint: 'Confirme sus inicios de sesión con un pequeño dispositivo que se conecta o se acerca al teléfono.',
    },
    isAdded: 'Añadido. Se ha cerrado la sesión en todos los demás dispositivos.',
    isRemoved: 'Eliminado. Se ha cerrado la sesión en todos los demás dispositivos.',
    isRenamed: 'Sus cambios se han guardado.',
    tooMany: 'No puede añadir más. Elimine antes alguno.',
  },
  trusted: {
    title: 'Dispositivos de confianza',
    text: 'En estos dispositivos basta la contraseña; no se pide el segundo factor al iniciar sesión.',
    until: (when) => `Hasta el ${when}`,
    end: 'Retirar la confianza',
    endAll: 'Retirar la confianza a todos',
    ended: 'El próximo inicio de sesión en él pedirá el segundo factor.',
  },
  factor: {
    name: 'Nombre',
    invalidName: 'Este nombre no se puede usar. Tiene de 1 a 100 caracteres en una línea.',
    rename: 'Guardar el nombre',
    remove: {
      title: 'Eliminar',
      text: 'Ya no podrá iniciar sesión con esto. Se cerrará la sesión en todos los demás dispositivos.',
      last: 'Es lo último que queda: también desaparecen sus códigos de recuperación, y solo su contraseña protege su cuenta.',
      button: 'Eliminar',
      password: 'Su contraseña',
    },
    required: 'Este servicio exige un segundo factor. Añada antes otro.',
    lastWay: 'Es su única forma de iniciar sesión. Elija antes una contraseña.',
    gone: 'Ya se había eliminado.',
  },
  totp: {
    title: 'Añadir una aplicación de autenticación',
    scan: 'Escanee esta imagen con su aplicación de autenticación.',
    qr: 'Código QR con la clave que aparece debajo',
    open: 'Abrir una aplicación en este dispositivo',
    key: 'O escriba esta clave en la aplicación:',
    code: 'Código que muestra la aplicación',
    codeHint: '6 cifras.',
    button: 'Añadir',
    wrong:
      'Este código no es válido. Compruebe la hora de su dispositivo y escriba el código que la aplicación muestra ahora.',
    expired: 'Ha tardado demasiado. Empiece de nuevo.',
  },
  recovery: {
    title: 'Códigos de recuperación',
    left: (count) => (count === 1 ? 'Queda 1 código.' : `Quedan ${count} códigos.`),
    few: 'Cree otros nuevos antes de necesitarlos.',
    renew: 'Crear nuevos códigos de recuperación',
    renewHint: 'Los anteriores dejarán de funcionar.',
  },
  codes: {
    title: 'Guarde estos códigos',
    text: 'Con estos códigos de recuperación inicia sesión si pierde su dispositivo. Cada uno vale una vez. Solo se muestran ahora; guárdelos en un lugar seguro.',
    download: 'Descargar',
    file: 'codigos-de-recuperacion',
    copy: 'Copiar',
    copied: 'Copiado.',
    print: 'Imprimir',
    saved: 'He guardado los códigos',
    button: 'Continuar',
  },
  enroll: {
    title: 'Proteja su cuenta',
    text: 'Este servicio exige un segundo factor. Añada uno; lo necesitará cada vez que inicie sesión.',
    mailFirst:
      'Su contraseña sola no basta para eso: primero le enviamos un correo con un código. Empiece con una aplicación de autenticación; después podrá añadir también llaves de acceso y llaves de seguridad.',
    mail: {
      text: 'Un correo con un código está en camino.',
      code: 'Código del correo',
      hint: '6 cifras.',
      button: 'Continuar',
      send: 'Enviar otro código',
      wrong: 'Este código no es válido o es demasiado antiguo.',
    },
  },
}

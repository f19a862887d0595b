import type { SocialTexts } from './text.ts'

export const es: SocialTexts = {
  address: {
    title: 'Su dirección de correo',
    intro: (provider) =>
      `${provider} no ha dado ninguna dirección de correo. Escriba la suya; recibirá un correo con un código.`,
    email: 'Dirección de correo',
    button: 'Enviar el código',
    invalidEmail: 'Escriba una dirección de correo, por ejemplo nombre@example.com.',
  },
  code: {
    title: 'Mire su buzón',
    sent: { before: 'Hemos enviado un correo con un código a ', after: '.' },
    hint: 'El código vale 10 minutos. Si no llega nada, mire en la carpeta de correo no deseado.',
    code: 'Código',
    button: 'Continuar',
    wrong: 'Este código es incorrecto o demasiado antiguo.',
  },
  ask: {
    title: 'Ya tiene una cuenta',
    account: { before: 'Hay una cuenta con la dirección ', after: '.' },
    why: (provider) =>
      `Demuestre que es suya. Se vinculará entonces con ${provider}, con el que iniciará sesión en adelante.`,
    password: 'Contraseña de la cuenta',
    button: 'Vincular e iniciar sesión',
    wrongPassword: 'Esta no es la contraseña de la cuenta.',
    missingPassword: 'Escriba la contraseña de la cuenta.',
    code: { intro: 'O reciba un correo con un código en la dirección de la cuenta.', button: 'Enviar el código' },
    startOver: {
      summary: 'No he creado esta cuenta, o no sé la contraseña',
      effect:
        'Nadie ha demostrado aún que esta dirección es suya. Usted sí, así que la cuenta pasa a ser suya. Se elimina su contraseña, se cierran las sesiones de todos los dispositivos y se eliminan sus claves de API y los demás vínculos.',
      button: 'Empezar de nuevo como dueño de la dirección',
    },
  },
  failures: {
    failed: {
      title: 'No se ha podido iniciar sesión',
      text: 'El otro servicio no ha confirmado quién es usted. Inténtelo de nuevo.',
    },
    expired: {
      title: 'Este inicio de sesión ha caducado',
      text: 'Ha estado abierto demasiado tiempo, o empezó en otro navegador. Su navegador debe aceptar las cookies de esta página.',
    },
    taken: {
      title: 'Esta cuenta no se puede vincular',
      text: 'Está vinculada con otra cuenta aquí, o su cuenta está vinculada con otra allí. No se ha cambiado nada.',
    },
    refused: { title: 'No se ha podido iniciar sesión', text: 'No puede iniciar sesión con esta cuenta.' },
    closed: { title: 'El registro está cerrado', text: 'Pida una cuenta a los responsables de este servicio.' },
    unverified: {
      title: 'La dirección no está confirmada',
      text: 'El otro servicio no confirma su dirección de correo. Inicie sesión de otra manera.',
    },
    addressTaken: { title: 'Esta dirección no se puede usar', text: 'Está reservada para otra cuenta.' },
    domain: {
      title: 'Esta dirección no se puede usar',
      text: 'Las direcciones de este dominio no pueden registrarse aquí.',
    },
  },
  back: 'Volver al inicio de sesión',
}

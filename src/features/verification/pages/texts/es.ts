import type { VerificationTexts } from './text.ts'

export const es: VerificationTexts = {
  forgot: {
    title: '¿Ha olvidado la contraseña?',
    intro:
      'Escriba la dirección de correo de su cuenta. Recibirá un correo con un enlace para elegir una nueva contraseña.',
    email: 'Dirección de correo',
    button: 'Enviar el enlace',
    invalidEmail: 'Escriba una sola dirección de correo, por ejemplo nombre@example.com.',
    sent: {
      title: 'Revise su correo',
      text: 'Si existe una cuenta con esta dirección, hay un correo en camino. El enlace que contiene funciona durante 30 minutos. Si no llega nada, mire en la carpeta de spam.',
    },
    again: 'Enviar otro enlace',
  },
  reset: {
    title: 'Elegir una nueva contraseña',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    effect: 'Se cerrará la sesión en todos los dispositivos. Después iniciará sesión con la nueva contraseña.',
    button: 'Guardar la nueva contraseña',
    done: {
      title: 'Se ha cambiado su contraseña',
      text: 'Se ha cerrado la sesión en todos los dispositivos. Inicie sesión ahora con la nueva contraseña.',
    },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace funciona una sola vez y durante 30 minutos, y solo funciona el más reciente. No se ha cambiado su contraseña.',
    },
    askAgain: 'Pedir un nuevo enlace',
  },
  verify: {
    title: 'Confirme su dirección',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    why: 'Otra persona puede haberse registrado con su dirección. Por eso, demuestre que la cuenta es suya.',
    password: 'Contraseña de la cuenta',
    button: 'Confirmar la dirección',
    wrongPassword: 'Esta no es la contraseña de la cuenta.',
    missingPassword: 'Escriba la contraseña de la cuenta.',
    other: {
      summary: 'No me he registrado, o no conozco la contraseña',
      effect:
        'Elija una nueva contraseña. La anterior dejará de servir, se cerrará la sesión en todos los dispositivos y se revocarán todas las claves de API de la cuenta.',
      button: 'Confirmar la dirección y guardar la contraseña',
    },
    username: 'Nombre de usuario',
    usernameTaken: 'Mientras tanto, otra persona ha elegido este nombre de usuario. Elija otro.',
    invalidUsername: 'Este nombre de usuario no se puede usar. Elija otro.',
    done: { title: 'Su dirección está confirmada', text: 'Ya puede iniciar sesión.' },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace funciona una sola vez y durante 24 horas, y solo funciona el más reciente. Si ya ha confirmado su dirección, no tiene que hacer nada. Si no, pida un nuevo enlace en la aplicación.',
    },
  },
  confirm: {
    title: 'Confirme su nueva dirección',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    next: { before: 'Su nueva dirección será ', after: '.' },
    effect:
      'Se cerrará la sesión en los demás dispositivos. La dirección anterior recibirá un correo con el que se puede deshacer el cambio durante 72 horas.',
    button: 'Cambiar la dirección',
    taken: { title: 'Esta dirección pertenece a otra cuenta', text: 'No se ha cambiado nada.' },
    done: {
      title: 'Se ha cambiado su dirección',
      text: 'A partir de ahora, inicie sesión con la nueva dirección. Los correos también llegarán allí.',
    },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace funciona una sola vez y durante 24 horas, y solo funciona el más reciente. Esta vez no se ha cambiado su dirección.',
    },
  },
  undo: {
    title: 'Deshacer el cambio de dirección',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    next: { before: 'Recuperará la dirección ', after: '.' },
    effect:
      'Se cerrará la sesión en todos los dispositivos, se revocarán todas las claves de API y se eliminará la contraseña. Después, a esta dirección llegará un correo con un enlace para elegir una nueva contraseña.',
    button: 'Deshacer el cambio',
    done: {
      title: 'Se ha deshecho el cambio',
      text: 'Un correo con un enlace para elegir una nueva contraseña está en camino. Hasta entonces, nadie puede iniciar sesión en la cuenta.',
    },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace funciona una sola vez y durante 72 horas. No se ha cambiado nada. Si otra persona usa su cuenta, pida ayuda.',
    },
  },
  recovery: {
    title: 'Eliminar sus segundos factores',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    effect:
      'Se eliminarán todas las aplicaciones de autenticación, llaves de acceso, llaves de seguridad y códigos de recuperación de la cuenta, y se cerrará la sesión en todos los dispositivos. Después inicie sesión con la contraseña y configure un nuevo segundo factor.',
    password: 'Contraseña de la cuenta',
    button: 'Eliminar todos los segundos factores',
    wrongPassword: 'Esta no es la contraseña de la cuenta.',
    missingPassword: 'Escriba la contraseña de la cuenta.',
    done: {
      title: 'Se han eliminado sus segundos factores',
      text: 'Se ha cerrado la sesión en todos los dispositivos. Inicie sesión ahora con su contraseña y configure un nuevo segundo factor.',
    },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace funciona una sola vez y durante 24 horas, y una nueva contraseña lo anula. No se ha eliminado nada. Pida otro.',
    },
  },
}

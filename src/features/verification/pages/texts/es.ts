import type { VerificationTexts } from './text.ts'

export const es: VerificationTexts = {
  forgot: {
    title: '¿Ha olvidado la contraseña?',
    intro:
      'Escriba la dirección de correo de su cuenta. Recibirá un correo con un enlace para elegir una contraseña nueva.',
    email: 'Dirección de correo',
    button: 'Enviar el enlace',
    invalidEmail: 'Escriba una sola dirección de correo, por ejemplo nombre@example.com.',
    sent: {
      title: 'Mire su correo',
      text: 'Si una cuenta tiene esta dirección, hay un correo en camino. Su enlace vale 30 minutos. Si no llega nada, mire en la carpeta de spam.',
    },
    again: 'Enviar otro enlace',
  },
  reset: {
    title: 'Elegir una contraseña nueva',
    account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
    effect: 'Se cerrará la sesión en todos los dispositivos. Después iniciará sesión con la contraseña nueva.',
    button: 'Guardar la contraseña nueva',
    done: {
      title: 'Se ha cambiado su contraseña',
      text: 'Se ha cerrado la sesión en todos los dispositivos. Inicie sesión ahora con la contraseña nueva.',
    },
    dead: {
      title: 'Este enlace ya no es válido',
      text: 'Un enlace vale una sola vez y durante 30 minutos, y solo vale el más reciente. Su contraseña no se ha cambiado.',
    },
    askAgain: 'Pedir un enlace nuevo',
  },
  newPassword: {
    label: 'Contraseña nueva',
    hint: (minLength) => `Al menos ${minLength} caracteres. Van bien unas palabras que no tengan relación entre sí.`,
    errors: {
      malformed: () => 'Este texto no puede ser una contraseña. Elija otra.',
      too_long: () => 'La contraseña debe tener como máximo 256 caracteres.',
      too_short: (minLength) => `La contraseña debe tener al menos ${minLength} caracteres.`,
      common: () => 'Mucha gente usa esta contraseña. Elija otra.',
      pattern: () => 'Esta contraseña es fácil de adivinar. Elija otra.',
      own_name: () => 'La contraseña no debe ser su nombre de usuario ni su dirección de correo.',
      service_name: () => 'La contraseña no debe ser el nombre del servicio.',
    },
    refused: 'Esta contraseña no se puede usar. Elija otra.',
  },
}

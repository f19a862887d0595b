import type { SignInTexts } from './text.ts'

export const es: SignInTexts = {
  logIn: {
    title: 'Iniciar sesión',
    toClient: (client) => `Inicie sesión para continuar a ${client}.`,
    again: 'Escriba otra vez su contraseña para continuar.',
    identifier: 'Nombre de usuario o dirección de correo electrónico',
    password: 'Contraseña',
    remember: 'Mantener la sesión iniciada en este dispositivo',
    button: 'Iniciar sesión',
    wrong: { title: 'Nombre de usuario o contraseña incorrectos', text: 'Revise los dos e inténtelo otra vez.' },
    missingIdentifier: 'Escriba su nombre de usuario o su dirección de correo electrónico.',
    missingPassword: 'Escriba su contraseña.',
    forgot: '¿Ha olvidado su contraseña?',
    register: 'Crear una cuenta',
    dead: {
      title: 'Este inicio de sesión ha caducado',
      text: 'Estuvo abierto demasiado tiempo o empezó en otro navegador. Su navegador debe aceptar las cookies de esta página.',
      button: 'Empezar de nuevo',
    },
  },
  logOut: {
    title: 'Cerrar sesión',
    text: 'Ha iniciado sesión en este navegador.',
    button: 'Cerrar sesión',
    done: { title: 'Ha cerrado la sesión', text: 'Este navegador ya no tiene la sesión iniciada.' },
    again: 'Iniciar sesión',
  },
}

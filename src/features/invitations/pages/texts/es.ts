import type { InvitationTexts } from './text.ts'

export const es: InvitationTexts = {
  title: 'Aceptar la invitación',
  account: { before: 'Se trata de la cuenta con la dirección ', after: '.' },
  effect: 'Elija una contraseña. Con ella y con el nombre de usuario iniciará sesión después.',
  firstAdmin: 'Usted será el primer administrador de este servicio.',
  existing:
    'Se descarta todo lo que esta cuenta tenía hasta ahora: la contraseña, todas las sesiones y todas las claves de API.',
  username: 'Nombre de usuario',
  usernameTaken: 'Alguien tiene ya este nombre de usuario. Elija otro.',
  invalidUsername:
    'Este nombre de usuario no es posible. Use de 3 a 32 letras sin acentos, cifras, puntos, guiones o guiones bajos.',
  button: 'Guardar la contraseña',
  done: { title: 'Su cuenta está lista', text: 'Inicie sesión ahora con su nombre de usuario y la nueva contraseña.' },
  dead: {
    title: 'Este enlace ya no funciona',
    text: 'Un enlace funciona una sola vez y durante un tiempo limitado, y solo vale el más reciente. Si ya ha aceptado la invitación, inicie sesión. Si no, pida otra invitación.',
  },
}

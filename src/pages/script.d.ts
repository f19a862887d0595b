declare module '*.js' {
  const text: string
  export default text
}

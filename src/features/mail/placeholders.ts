/** The values that a text names. */
export type Values = Readonly<Record<string, string | undefined>>

/** Puts values in the place of `{{name}}`. A value that is not known is empty. */
export const fill = (text: string, values: Values, encode = (value: string) => value): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => encode(values[name] ?? ''))

/** The values for the placeholders of a text, by name. */
export type Values = Readonly<Record<string, string | undefined>>

/** Replaces each `{{name}}` in a text by `encode` of the value with this name. A missing value counts as empty. */
export const fill = (text: string, values: Values, encode = (value: string) => value): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => encode(values[name] ?? ''))

/** The values for the placeholders of a text, by name. */
export type Values = Readonly<Record<string, string | undefined>>

/** Replaces each `{{name}}` by its value, to which it applies `encode`, or by nothing when there is no such value. */
export const fill = (text: string, values: Values, encode = (value: string) => value): string =>
  text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => encode(values[name] ?? ''))

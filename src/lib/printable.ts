/**
 * Makes a value from outside safe for a terminal: control and format characters become JavaScript escapes such as
 * `\u001b`. Otherwise an escape sequence in a username or in the answer of a server could clear the screen, change the
 * title or fake a line. In a JSON string the escape has the same meaning as the character.
 */
export const printable = (value: string): string => value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)

/** Makes the output of a command safe for a terminal as `printable` does, but keeps line ends and tabs. */
export const printableLines = (text: string): string => text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => {
    const unit = character.charCodeAt(at)
    return `\\u${unit.toString(16).padStart(4, '0')}`
  }).join('')

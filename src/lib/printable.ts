/**
 * Makes a value from outside safe for a terminal: control and format characters become JavaScript escapes such as
 * `\u001b`. An escape sequence in a name or an answer could otherwise clear the screen, change the title or fake a
 * line. Inside a JSON string the escape has the same meaning as the character.
 */
export const printable = (value: string): string => value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)

/** Makes the output of a command safe for a terminal like `printable`, and keeps its line ends and tabs. */
export const printableLines = (text: string): string => text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped)

const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, at) => {
    const unit = character.charCodeAt(at)
    return `\\u${unit.toString(16).padStart(4, '0')}`
  }).join('')

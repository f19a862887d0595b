export interface Import {
  /** The text between the quotes. */
  specifier: string
  /** Erased by the compiler: `import type`, `export type … from`. */
  typeOnly: boolean
  line: number
}

/**
 * The source with comments, regular expressions, templates and the contents of strings blanked, at the same offsets, so
 * that a search finds only code. Text between JSX tags may be blanked up to the end of its line.
 */
export function codeOnly(text: string): string {
  let code = ''
  let at = 0
  const openBraces: number[] = []
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  while (at < text.length) {
    const inInterpolation = openBraces.length > 0
    const skipped = take(COMMENT) ?? (expectsValue(code) ? take(REGULAR_EXPRESSION) : undefined)
    if (skipped !== undefined) {
      code += blank(skipped)
      continue
    }
    const quoted = take(STRING)
    if (quoted !== undefined) {
      code += quoted.length < 2 ? quoted : `${quoted[0]}${blank(quoted.slice(1, -1))}${quoted.at(-1)}`
      continue
    }
    if (text[at] === '`' || (text[at] === '}' && openBraces.at(-1) === 0)) {
      if (text[at] === '}') openBraces.pop()
      const chunk = take(TEMPLATE_CHUNK) ?? ''
      if (chunk.endsWith('${')) openBraces.push(0)
      code += blank(chunk)
      continue
    }
    if (inInterpolation && text[at] === '{') openBraces[openBraces.length - 1]!++
    if (inInterpolation && text[at] === '}') openBraces[openBraces.length - 1]!--
    code += text[at++]
  }
  return code
}

/** Every import, re-export, dynamic import and require whose module is a plain string. */
export function importsOf(text: string, code = codeOnly(text)): Import[] {
  return [...code.matchAll(STATIC_IMPORT), ...code.matchAll(DYNAMIC_IMPORT)].map((match) => {
    const end = match.index + match[0].length - 1
    return {
      specifier: text.slice(end - match.groups!.inside!.length, end),
      typeOnly: match.groups!.type !== undefined,
      line: lineAt(code, match.index),
    }
  })
}

/** Line numbers start at 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const REGULAR_EXPRESSION = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^\\/[\n])+\/[a-z]*/y
const STRING = /(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y
const TEMPLATE_CHUNK = /[`}](?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{|$)/y
const STATIC_IMPORT =
  /(?<![.\w$])(?:import|export)\s*(?<type>type\b\s*)?(?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})?\s*(?:from\s*)?(?<quote>['"])(?<inside> *)\k<quote>/g
const DYNAMIC_IMPORT = /(?<![.\w$])(?:import|require)\s*\(\s*(?<type>(?!))?(?<quote>['"])(?<inside> *)\k<quote>/g

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')

/** Whether a slash here begins a regular expression: after an operator or a keyword, not after a value. */
const expectsValue = (code: string): boolean => {
  const before = code.slice(-40).trimEnd()
  return (
    before === '' || /[(,=:[!&|?{;+*%~^>-]$|(?:^|[^\w$.])(?:return|typeof|case|of|in|await|else|void)$/.test(before)
  )
}

import type { Entry } from './entries.ts'
import { shellData } from './shell-data.ts'

/** Returns the completion script for bash 4.4 and later; bash-completion is not needed. */
export const bashCompletion = (
  entries: readonly Entry[],
): string => `# Completion of keyward for bash: source this file.

${shellData(entries)}
${FUNCTION}`

/*
 * The words are taken from COMP_LINE, because bash also breaks words at ":" and "=", which permissions and
 * "--option=value" contain. COMPREPLY then has only what follows the last break.
 */
const FUNCTION = String.raw`_keyward() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} node= option= at=0 lead= kind= breaks= cut= word typed full
  local -a words=() lines=()
  local cur=${'$'}{line##*[[:space:]]}
  read -ra words <<<"${'$'}{line%"$cur"}"
  for word in "${'$'}{words[@]:1}"; do
    if [[ -n $option ]]; then option=
    elif [[ $word == --*=* ]]; then continue
    elif [[ $word == -* ]]; then _keyward_values "$node $word" >/dev/null && option=$word
    elif _keyward_commands "$node" >/dev/null; then node="${'$'}{node:+$node }$word"
    else at=$((at + 1))
    fi
  done
  typed=$cur
  if [[ -z $option && $cur == --*=* ]]; then
    option=${'$'}{cur%%=*}
    typed=${'$'}{cur#*=}
    lead=$option=
  fi
  if [[ -n $option ]]; then
    mapfile -t lines < <(_keyward_values "$node $option")
  elif [[ $cur == -* ]]; then
    mapfile -t lines < <(printf 'one\n'; _keyward_options "$node")
  elif _keyward_commands "$node" >/dev/null; then
    mapfile -t lines < <(printf 'one\n'; _keyward_commands "$node")
  else
    mapfile -t lines < <(_keyward_values "$node #$at")
  fi
  kind=${'$'}{lines[0]}
  COMPREPLY=()
  if [[ $kind == file ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$typed")
    return
  fi
  if [[ $kind == list ]]; then
    compopt -o nospace 2>/dev/null
    [[ $typed == *,* ]] && lead=$lead${'$'}{typed%,*},
  fi
  [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='
  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'
  [[ -n $breaks ]] && cut=${'$'}{cur%"${'$'}{cur##*[$breaks]}"}
  for word in "${'$'}{lines[@]:1}"; do
    full=$lead${'$'}{word%%$'\t'*}
    [[ $full == "$cur"* ]] && COMPREPLY+=("${'$'}{full#"$cut"}")
  done
}

complete -F _keyward keyward
`

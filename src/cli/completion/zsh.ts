import type { Entry } from './entries.ts'
import { shellData } from './shell-data.ts'

/** Returns the completion script for zsh, as a file of `$fpath` or to be sourced after `compinit`. */
export const zshCompletion = (entries: readonly Entry[]): string => `#compdef keyward
# Completion of keyward for zsh: save it as _keyward in a folder of $fpath, or source it after compinit.

${shellData(entries)}
${FUNCTION}`

const FUNCTION = String.raw`_keyward() {
  local node= option= word kind
  local -a lines described
  integer i at=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then option=
    elif [[ $word == --*=* ]]; then continue
    elif [[ $word == -* ]]; then _keyward_values "$node $word" >/dev/null && option=$word
    elif _keyward_commands "$node" >/dev/null; then node="${'$'}{node:+$node }$word"
    else ((at += 1))
    fi
  done
  if [[ -z $option && $PREFIX == --*=* ]]; then
    option=${'$'}{PREFIX%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    lines=("${'$'}{(@f)$(_keyward_values "$node $option")}")
  elif [[ $PREFIX == -* ]]; then
    lines=(described "${'$'}{(@f)$(_keyward_options "$node")}")
  elif _keyward_commands "$node" >/dev/null; then
    lines=(described "${'$'}{(@f)$(_keyward_commands "$node")}")
  else
    lines=("${'$'}{(@f)$(_keyward_values "$node #$at")}")
  fi
  kind=$lines[1]
  lines=("${'$'}{(@)lines[2,-1]}")
  case $kind in
    file) _files ;;
    one) compadd -a lines ;;
    list)
      compset -P '*,'
      compadd -S '' -a lines
      ;;
    described)
      described=("${'$'}{(@)lines//:/\\:}")
      described=("${'$'}{(@)described/$'\t'/:}")
      _describe keyward described
      ;;
  esac
}

if [[ $funcstack[1] == _keyward ]]; then
  _keyward "$@"
else
  compdef _keyward keyward
fi
`

// What a shell has to be told once, so that it asks this program what could come next: one word a line, with what it is for
// behind a tab, or one line that leaves files and directories to the shell.

/** The first word of such a question; the words typed so far follow, the last one unfinished. */
export const QUESTION = '__complete'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

const BASH = `# casemate completion for bash: source <(casemate completion bash)
_casemate() {
  local line IFS=$' \\t\\n' current before
  local -a words
  # Readline breaks words at = and :, which belong to ours.
  before=\${COMP_LINE:0:COMP_POINT}
  read -ra words <<< "$before"
  [[ $before == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default; return ;;
      :directories) compopt -o dirnames; return ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${words[0]}" ${QUESTION} "\${words[@]:1}" 2>/dev/null)
  # What stands before the last of those is typed already, as far as readline knows.
  local typed=\${current%"\${current##*[=:]}"} index
  for index in "\${!COMPREPLY[@]}"; do
    COMPREPLY[index]=\${COMPREPLY[index]#"$typed"}
  done
}
complete -F _casemate casemate
`

const ZSH = `#compdef casemate
# casemate completion for zsh: source <(casemate completion zsh), after compinit
_casemate() {
  local line
  local -a found
  for line in "\${(@f)$("\${words[1]}" ${QUESTION} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) _files; return ;;
      :directories) _files -/; return ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#found )) && _describe 'what can follow' found
}
compdef _casemate casemate
`

const FISH = `# casemate completion for fish: casemate completion fish | source
function __casemate_candidates
  set -l typed (commandline -opc)
  set -l current (commandline -ct)
  for line in ($typed[1] ${QUESTION} $typed[2..-1] "$current" 2>/dev/null)
    switch $line
      case :files
        __fish_complete_path "$current"
      case :directories
        __fish_complete_directories "$current"
      case '*'
        echo $line
    end
  end
end
complete -c casemate -f -a '(__casemate_candidates)'
`

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

export function scriptFor(shell: Shell): string {
  return SCRIPTS[shell]
}

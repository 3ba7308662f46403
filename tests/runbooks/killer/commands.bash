# Sourced by bash through BASH_ENV: counts every command of the script and kills the script at the N-th change.
export KILL_GROUP=${KILL_GROUP:-$$}
__change() {
  [ "$BASHPID" = "$$" ] || return 0
  printf 'command\n' >>"$KILL_COUNT"
  if [ "$KILL_AT" -gt 0 ] && [ "$(wc -l <"$KILL_COUNT")" -eq "$KILL_AT" ]; then kill -9 -- "-$KILL_GROUP" 0; fi
}
trap __change DEBUG

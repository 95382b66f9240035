"""Jobs whose files travel: packed where they are submitted, run on the machine, and brought back.

For pools whose machines do not show the files of the host that submits (``should_transfer_files = YES``).
Marks in the job's directory are then made from what the queue says: until it is back, nobody can see its own.
"""

from __future__ import annotations

import shlex

from ..model import files, marks

#: The submit command by which a job travels.
TRAVELS = "should_transfer_files = YES"

#: Wants ``$s``, the submission's folder.
PACK = """\
# pack UUID DIRECTORY: one archive that goes with the job
pack() { mkdir -p "$s/in" "$s/out" && tar -cf "$s/in/$1.tar" -C "$2" .; }
"""

#: Becomes the launch script of the job with a number. Where the job has travelled, the script's directory, as
#: quoted there, is replaced by the machine's, and all is packed again at the end; HTCondor removes the rest.
_DISPATCHER = """\
#!/bin/sh
# NUMBER UUID
if [ ! -e "$2.tar" ]; then
  job=$(sed -n "$(($1 + 1)){{p;q;}}" {jobs}) || exit 1
  exec "${{job#* }}/{script}"
fi
here=$PWD/job
tar -cf out.tar -T /dev/null && mkdir job && tar -xf "$2.tar" -C job && rm "$2.tar" && cd job || exit 1
eval "there=$(sed -n 's/^cd \\(.*\\) || exit 0$/\\1/p' {script} | head -n 1)"
there=$(printf '%s\\n' "$there" | sed "s/'/'\\"'\\"'/g")
export here there
for file in {script} {environment}; do
  awk '{{
    rest = $0; line = ""; from = ENVIRON["there"]
    while (at = index(rest, from)) {{
      line = line substr(rest, 1, at - 1) ENVIRON["here"]; rest = substr(rest, at + length(from))
    }}
    print line rest
  }}' "$file" | sed 's/^\\(marks=[^;]*; events=\\).*/\\1{folder}/' > ../moved &&
    cat ../moved > "$file" || exit 1
done
trap 'kill -TERM "$app" 2> /dev/null' TERM INT HUP
./{script} & app=$!
wait "$app"; code=$?
while kill -0 "$app" 2> /dev/null; do wait "$app"; code=$?; done
tar -cf ../out.tar --exclude=./{script} --exclude=./{environment} . || exit 1
exit "$code"
"""

#: Wants ``$lane`` and ``$seen`` with the rows of the queue.
_CARRY = """\
listed=$(printf '%s\\n' "$seen" | awk -F'\\t' '$1 == "\\"queue\\"" {{
  gsub(/"/, ""); printf " %s:%s:%s.%s ", $4, $6, $2, $3 }}')
# carry UUID DIRECTORY: what the queue knows of a job that travels becomes its marks
carry() {{
  for folder in "$lane"/submissions/*/in/"$1.tar"; do
    [ -e "$folder" ] && [ -d "$2/{folder}" ] || return
    s=${{folder%/in/*}}
    case $listed in
      *" $1:"[267]:*) begun "$1" "$2" ;;
      *" $1:"*) ;;
      *) arrived "$1" "$2" ;;
    esac
  done
}}
# begun UUID DIRECTORY: claimed, unless somebody has revoked it
begun() {{
  number=${{listed#*" $1:"}}; number=${{number#*:}}; own="$2/{folder}/begun.$$"
  echo "$1 - pool - condor:${{number%% *}}:0" > "$own"; ln "$own" "$2/{claim}" 2> /dev/null; rm -f "$own"
}}
# arrived UUID DIRECTORY: unpacked, its end last
arrived() {{
  [ -s "$s/out/$1.tar" ] || return
  tar -xf "$s/out/$1.tar" -C "$2" --exclude=./{exit} && tar -xf "$s/out/$1.tar" -C "$2" ./{exit} 2> /dev/null
  rm -f "$s/in/$1.tar" "$s/out/$1.tar"
}}
each=carry; look_at_all; each=look
"""


def dispatcher(jobs: str) -> str:
    """Return the script that HTCondor starts for each job; *jobs* is the list of the submission."""
    return _DISPATCHER.format(
        jobs=shlex.quote(jobs),
        script=files.LAUNCH_SCRIPT,
        environment=files.ENVIRONMENT,
        folder=marks.FOLDER,
    )


def carry() -> str:
    """Return the part of a look that brings back what has travelled."""
    return _CARRY.format(folder=marks.FOLDER, claim=marks.CLAIM, exit=marks.EXIT)

# An installation script: prefix, modes, backup, manifest, uninstallation.
set -eu
prefix=$PWD/root; umask 022
mkdir -p build; printf '#!/bin/sh\necho "tool $*"\n' >build/tool; printf 'key=1\n' >build/tool.conf
put() {
  mode=$1 from=$2 to=$prefix$3
  mkdir -p "$(dirname "$to")"
  if [ -f "$to" ] && ! cmp -s "$from" "$to"; then cp -p "$to" "$to.bak"; echo "backup $3"; fi
  cp "$from" "$to.new"; chmod "$mode" "$to.new"; mv -f "$to.new" "$to"; echo "$3" >>"$prefix/manifest"
}
mkdir -p "$prefix"; : >"$prefix/manifest"
put 755 build/tool /bin/tool; put 600 build/tool.conf /etc/tool.conf; "$prefix/bin/tool" a b; PATH=$prefix/bin:$PATH tool c
echo 'key=2' >build/tool.conf; put 600 build/tool.conf /etc/tool.conf; cat "$prefix/etc/tool.conf.bak"; sort -u "$prefix/manifest"
find "$prefix" -type f | sed "s|$prefix||" | sort | while read -r f; do printf '%s %s\n' "$(stat -c %a "$prefix$f")" "$f"; done
sort -ru "$prefix/manifest" | while read -r f; do rm "$prefix$f"; rmdir "$(dirname "$prefix$f")" 2>/dev/null || echo "kept ${f%/*}"; done
(cd "$prefix"; ls -R); command -v tool || echo "gone"; : "${UNSET_NAME:=default}"; echo "$UNSET_NAME"
ok=yes; put 644 build/missing /x 2>/dev/null || ok=no; echo $ok

# Copies what changed of a tree, removes what is gone, and says so.
mkdir -p src/a/b dst; echo 1 >src/one; echo 2 >src/a/two; echo 3 >"src/a/b/with space"; ln -s one src/link; chmod 640 src/one
sync_tree() {
  ( cd src && find . -type d ) | sort | while IFS= read -r d; do [ -d "dst/$d" ] || { mkdir -p "dst/$d"; echo "mkdir $d"; }; done
  ( cd src && find . ! -type d ) | sort | while IFS= read -r f; do
    if [ -h "src/$f" ]; then
      [ "$(readlink "src/$f")" = "$(readlink "dst/$f" 2>/dev/null)" ] || { ln -sfn "$(readlink "src/$f")" "dst/$f"; echo "link $f"; }
    elif ! cmp -s "src/$f" "dst/$f"; then cp -p "src/$f" "dst/$f"; echo "copy $f"; fi
  done
  ( cd dst && find . -depth ) | sort -r | while IFS= read -r f; do
    [ -e "src/$f" ] || [ -h "src/$f" ] || { rm -rf "dst/$f"; echo "remove $f"; }
  done
}
sync_tree; echo --; sync_tree; echo "-- again"
echo changed >src/one; rm -r src/a/b; ln -sfn a src/link; touch src/new; sync_tree
find dst | sort; stat -c '%a %n' dst/one; readlink dst/link; find dst -type f -exec cat {} + | sort
find . -name '*o*' -type f -print0 | sort -z | xargs -0 ls -1
du -a dst >/dev/null 2>&1; find dst -empty; find dst -type l -exec sh -c 'for l; do echo "$l -> $(readlink "$l")"; done' sh {} +

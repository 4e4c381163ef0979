# A spool directory: producers write to tmp and rename, consumers claim by rename.
mkdir -p q/tmp q/new q/cur q/done
produce() { i=0; while [ $i -lt 6 ]; do i=$((i + 1)); echo "job $1.$i" >q/tmp/$1.$i; mv q/tmp/$1.$i q/new/$1.$i; done; }
consume() {
  while :; do
    for f in q/new/*; do
      [ -e "$f" ] || continue
      mv "$f" "q/cur/${f##*/}" 2>/dev/null || continue
      sed "s/\$/ by a consumer/" "q/cur/${f##*/}" >"q/done/${f##*/}"; rm "q/cur/${f##*/}"
    done
    [ -e q/stop ] && [ -z "$(ls q/new)" ] && return 0
    sleep 0.001
  done
}
consume & c1=$!; consume & c2=$!; consume & c3=$!
produce a & p1=$!; produce b & p2=$!; wait $p1 $p2; touch q/stop; wait $c1; echo $?; wait $c2 $c3; echo $?
ls q/done | wc -l; cat q/done/* | sort -u | wc -l; cat q/done/a.3; ls q/tmp q/new q/cur; rmdir q/tmp q/new q/cur && echo empty

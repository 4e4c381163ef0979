for script in 'OPTIND=x; echo after' 'OPTIND=; echo after' 'OPTIND=x :; echo after' 'OPTIND=x true; echo after $?' 'export OPTIND=x; echo after' \
  'read OPTIND </dev/null; echo after $? $OPTIND' 'f() { local OPTIND=x; echo in; }; f; echo after' 'for OPTIND in a; do echo $OPTIND; done; echo after' \
  'f() { OPTIND=x; echo in; }; f; echo after' 'OPTIND=-1; echo $OPTIND' 'OPTIND=0; set -- -a; getopts a o; echo $o' 'OPTIND=" 1"; echo ok' 'OPTIND=1x; echo ok' \
  'OPTIND=99999999999; echo ok' 'readonly OPTIND; set -- -a; getopts a o; echo ok' 'unset OPTIND; echo ok' 'echo $((OPTIND = 5)); echo $OPTIND'; do
  sh -c "$script"; echo "$? $script"
done

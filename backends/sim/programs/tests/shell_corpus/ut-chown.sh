# Needs root.
touch f; mkdir -p d/e; touch d/e/g; ln -s f l
chown 1000 f; stat -c '%u %g' f
chown 1000:1001 f; stat -c '%u %g' f
chown :5 f; stat -c '%u %g' f
chown root f; stat -c '%u %U' f
chown root: f; stat -c '%u %g' f
chown nosuchuser f; echo $?
chown root:nosuchgroup f; echo $?
chown 7 l; stat -c %u f l
chown -h 8 l; stat -c %u f l
chown -R 12:13 d; stat -c '%u %g' d d/e d/e/g
chown --reference=d f; stat -c '%u %g' f
chgrp 20 f; stat -c %g f
chgrp nosuchgroup f; echo $?
chown 1 nope; echo $?
chown; echo $?
chown 1; echo $?
chown 4001:4002 f; chown -v 4003:4004 f; chown -v 4003:4004 f; chown -c 4003 f; chown -c 4005 f; chown -v --from=9 1 f; stat -c %u f

set -e; echo $(false; echo x); y=$(false); echo no

sleep 0.2 & jobs; wait; jobs
(exit 3) & sleep 0.1; jobs; jobs
fg; echo $?

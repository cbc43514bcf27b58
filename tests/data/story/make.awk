# Makes a results folder for the story out of cells.txt: -v dir=FOLDER. The numbers are made up: the
# tasks alone tell the wall time, whatever the strategy, and the interval is 1 % to either side.
# Each traced trial is that of four tasks (or as many as there are) that work 10 ms, wait 20, work 5.
BEGIN {
    columns = "group,cell,strategy,control,workload,tasks,workers,cpus,unit_ns,status,reason,rounds," \
              "wall_ns_median,wall_ns_low,wall_ns_high,noise_floor,cpu_ns_median," \
              "stretch_max_median,over_ideal_median,ideal_ns_median,voluntary_switches_median," \
              "involuntary_switches_median,memory_bytes_median,memory_bytes_min,memory_bytes_max," \
              "pss_heap_bytes_median,kernel_stack_bytes_median,memory_per_task_bytes"
    print columns > (dir "/summary.csv")
    print "group,cell,strategy,workload,tasks,cpus,round,file,wall_ns,ideal_ns,switch_source," \
          "trace_dropped,trace_event_ns" > (dir "/timelines/index.csv")
}
# The memory of a cell, and the range of its trials.
function held(end) { return 5e5 + each * tasks + end * 1000 }
/^#/ { next }
{
    split($1, part, "-")
    cell = $1 "-" $2
    tasks = part[2]
    cpus = part[3] == "all" ? "0-1" : "0"
    each = $2 == "fork" ? 100000 : $2 == "pthreads" ? 30000 : 200
    wall = (35 + 10 * tasks) * 1e6
    print $1 "," cell "," $2 ",false," part[1] "," tasks "," $3 "," cpus ",10000000,ok,,5," wall "," \
          wall * 0.99 "," wall * 1.01 ",0.02," wall / 2 ",1.5,1.01," wall "," \
          2 * tasks "," tasks "," held(0) "," held(-1) "," held(1) "," 2e5 + each * tasks ",300000," each > (dir "/summary.csv")
    if ($4 != "traced") next
    file = cell ".r1.csv"
    print $1 "," cell "," $2 "," part[1] "," tasks "," cpus ",1," file "," wall "," wall \
          ",perf,0,50" > (dir "/timelines/index.csv")
    path = dir "/timelines/" file
    print "task,cpu,state,start_ns,end_ns" > path
    for (t = 0; t < tasks; t++) {
        at = t * 10e6
        if (at) print t ",,ready,0," at > path
        print t ",0,running," at + (t ? 2000 : 0) "," at + 10e6 > path
        print t ",,waiting," at + 10e6 "," at + 30e6 > path
        print t "," (cpus == "0" ? 0 : 1) ",running," at + 30e6 "," at + 35e6 > path
        print t ",0,ideal-running," at "," at + 10e6 > path
        print t ",,ideal-waiting," at + 10e6 "," at + 30e6 > path
        print t ",0,ideal-running," at + 30e6 "," at + 35e6 > path
    }
    close(path)
}

#!/usr/bin/env bats
# fetch against a real web server: the same bytes under every strategy.

setup_file() {
    command -v nginx > /dev/null || return 0
    dir=$BATS_FILE_TMPDIR
    mkdir "$dir/root"
    head -c 300000 /dev/zero | tr '\0' 'x' > "$dir/root/large"
    printf hello > "$dir/root/small"
    [ "$(id -u)" -ne 0 ] || user="user root;" # the folder of the tests is its owner's alone
    for port in 18080 18180 18280; do
        cat > "$dir/nginx.conf" << CONF
$user daemon on; pid $dir/nginx.pid; error_log $dir/error.log; worker_processes 1;
events { worker_connections 1024; }
http {
    access_log off; client_body_temp_path $dir/body; proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi; uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi;
    gzip off;
    server { listen 127.0.0.1:$port; root $dir/root;
        location /loop { return 302 /small; } }
}
CONF
        nginx -c "$dir/nginx.conf" -e "$dir/error.log" 2> /dev/null || continue
        export NGINX=http://127.0.0.1:$port
        return 0
    done
    return 1
}

teardown_file() {
    [ -z "$NGINX" ] || kill "$(cat "$BATS_FILE_TMPDIR/nginx.pid")"
}

fetch() {
    "$OVERLAP" run -s "$1" -w fetch -n 20 --url "$NGINX/$2" --work-rate 1 --json
}

@test "nginx: the same digest under every strategy" {
    [ -n "$NGINX" ] || skip "nginx is not installed"
    for page in small large; do
        fetch sequential $page | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/' > "$BATS_TEST_TMPDIR/want"
        for strategy in fork pthreads coroutine; do
            fetch $strategy $page | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/' \
                | diff - "$BATS_TEST_TMPDIR/want"
        done
    done
}

@test "nginx: all bytes of the body are counted" {
    [ -n "$NGINX" ] || skip "nginx is not installed"
    bytes=$(fetch coroutine large | sed 's/.*"bytes_moved":\([0-9]*\).*/\1/')
    [ "$bytes" -ge $((20 * 300000)) ]
    [ "$bytes" -le $((20 * 301000)) ]
}

@test "nginx: an answer that is no success fails the task" {
    [ -n "$NGINX" ] || skip "nginx is not installed"
    for page in missing loop; do
        run fetch coroutine $page
        [ "$status" -eq 1 ]
        [[ $output == *"20 of 20 tasks failed"* ]]
    done
}

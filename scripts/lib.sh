# Shell functions that scripts/demo and scripts/test share.
#
# A script sources this file, says what it needs (provide), and gets a private
# copy of the tree (make_workspace), a build of it (build, install_extension)
# and a server of its own (start_server). Whatever way the script ends, the
# server is stopped and the workspace removed.
#
# PostgreSQL refuses to run as root. So for root all that touches the server
# runs as user postgres (as_server); for anybody else as that user. What only
# root may do (apt-get, make install) goes through as_root.
#
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
supported='18 17 16 15'			# major versions, the newest first

workspace=						# temporary folder with all below; empty: none
tree=							# the copy of the project in it
pg_config=						# of the server that is used
bindir=							# its programs
no_main_cluster=				# file that keeps apt-get from making a server

die()
{
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	exit "${2:-1}"
}

as_root()
{
	if ((EUID == 0)); then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "root is needed for: $* (and there is no sudo)"
	fi
}

# Runs in the workspace with its home there, so that no setting of the
# caller's reaches psql, and the server's user can enter the folder.
as_server()
{
	local -a user=()

	((EUID != 0)) || user=(runuser -u postgres --)
	(
		cd "$workspace" || exit
		exec env HOME="$workspace" "${user[@]}" "$@"
	)
}

# -- what has to be installed ------------------------------------------------

# The pg_config to use: the caller's, or the one that Debian puts on PATH.
# Without server headers it is of no use: Debian's libpq-dev brings the
# program, its client package even pgxs.mk.
find_postgres()
{
	local found=${PG_CONFIG:-pg_config}

	found=$(command -v "$found") || return 1
	[[ -e $("$found" --pgxs 2>/dev/null) ]] || return 1
	[[ -e $("$found" --includedir-server)/postgres.h ]] || return 1
	pg_config=$found
	bindir=$("$pg_config" --bindir)
}

major_of()
{
	"$1" --version | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'
}

# Major version to install: what PG_CONFIG says, or the newest that apt has.
choose_major()
{
	local major

	if [[ -n ${PG_CONFIG:-} ]] && command -v "$PG_CONFIG" >/dev/null; then
		major_of "$PG_CONFIG"
		return
	fi
	for major in $supported; do
		if apt-cache show "postgresql-server-dev-$major" >/dev/null 2>&1; then
			echo "$major"
			return
		fi
	done
}

# Packages that are missing, one a line. What is needed is looked for itself,
# not by its package: it may have been installed in another way.
missing_packages()
{
	local purpose=$1 major

	command -v make >/dev/null || echo make
	command -v gcc >/dev/null || echo gcc
	[[ -e /usr/include/stdlib.h ]] || echo libc6-dev
	if find_postgres; then
		major=$(major_of "$pg_config")
	else
		major=$(choose_major)
		echo "postgresql-server-dev-$major"
	fi
	[[ -n $bindir && -x $bindir/postgres ]] || echo "postgresql-$major"

	[[ $purpose == test ]] || return 0
	has_extension pgtap || echo "postgresql-$major-pgtap"
	has_extension pg_cron || echo "postgresql-$major-cron"
	perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
	perl -MTAP::Parser::SourceHandler::pgTAP -e 1 2>/dev/null ||
		echo libtap-parser-sourcehandler-pgtap-perl
}

has_extension()
{
	[[ -n $pg_config && -e $("$pg_config" --sharedir)/extension/$1.control ]]
}

# provide demo|test: installs what is missing for it, and finds the server.
provide()
{
	local major
	local -a packages

	if [[ -n $(missing_packages "$1") ]]; then
		command -v apt-get >/dev/null ||
			die "missing, and there is no apt-get to install it: $(missing_packages "$1" | paste -sd ' ')"
		as_root apt-get update -qq ||
			echo 'apt-get update failed: going on with the package lists that are there' >&2
		find_postgres || [[ -n $(choose_major) ]] ||
			die "apt-get has no postgresql-server-dev package of a supported version (${supported// /, })"
		mapfile -t packages < <(missing_packages "$1")
		echo "Installing with apt-get: ${packages[*]}"
		install_packages "${packages[@]}"
		packages=()
		mapfile -t packages < <(missing_packages "$1")
		((${#packages[@]} == 0)) || die "still missing: ${packages[*]}"
	fi
	find_postgres
	major=$(major_of "$pg_config")
	[[ " $supported " == *" $major "* ]] ||
		die "PostgreSQL $major is not supported (${supported// /, } are); PG_CONFIG chooses another"
	((EUID != 0)) || id -u postgres >/dev/null 2>&1 ||
		die 'as root, a user named postgres is needed to run the server'
}

# Debian's server package makes and starts a server of its own. Nobody asked
# for one, so that is switched off while the packages are installed.
install_packages()
{
	local output

	no_main_cluster=/etc/postgresql-common/createcluster.d/zz-no-main-cluster.conf
	as_root mkdir -p "${no_main_cluster%/*}"
	echo 'create_main_cluster = false' | as_root tee "$no_main_cluster" >/dev/null
	if ! output=$(as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends "$@" 2>&1); then
		tail -n 20 <<<"$output" >&2
		die 'apt-get install failed'
	fi
	allow_main_cluster
}

allow_main_cluster()
{
	[[ -n $no_main_cluster ]] || return 0
	as_root rm -f "$no_main_cluster"
	as_root rmdir --ignore-fail-on-non-empty "${no_main_cluster%/*}"
	no_main_cluster=
}

# -- workspace, build, server ------------------------------------------------

# Settings of the caller's that would reach another server or change output.
# PostgreSQL::Test unsets LC_ALL: LANG then chooses the encoding of its servers.
clean_environment()
{
	local name

	for name in "${!PG@}" "${!LC_@}"; do
		[[ $name == PG_CONFIG ]] || unset "$name"
	done
	unset MAKEFLAGS MAKELEVEL PERL5LIB PERL5OPT
	export LANG=C.UTF-8 LC_ALL=C.UTF-8
}

# A script that defines last_words gets to say them after all the rest, with
# the exit code as argument.
clean_up()
{
	local status=$?

	trap '' INT TERM HUP
	allow_main_cluster || true
	if [[ -n $workspace ]]; then
		stop_servers
		cd /
		rm -rf "$workspace"
	fi
	! declare -F last_words >/dev/null || last_words "$status"
	exit "$status"
}

# Sets the traps, too: from here on nothing is left behind.
make_workspace()
{
	workspace=$(mktemp -d "${TMPDIR:-/tmp}/fundes.XXXXXX")
	tree=$workspace/fundes
	mkdir "$tree"
	tar -C "$root" -cf - --exclude=./.git --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude=./tmp_check . | tar -C "$tree" -xf -
	chmod -R u+rwX "$tree"
	((EUID != 0)) || chown -R postgres: "$workspace"
	as_server test -w "$tree" ||
		die "user postgres cannot enter $workspace: set TMPDIR to a folder that everybody can enter"
}

# A folder's copy in the workspace that the server's user can read and remove.
copy_in()
{
	cp -RT "$1" "$workspace/$2"
	chmod -R u+rwX "$workspace/$2"
	((EUID != 0)) || chown -R postgres: "$workspace/$2"
}

# build MAKE-ARGUMENT...: compiler output is shown only where it fails.
build()
{
	local log=$workspace/build.log

	if ! as_server make -s -C "$tree" -j"$(nproc)" PG_CONFIG="$pg_config" "$@" >"$log" 2>&1; then
		tail -n 60 "$log" >&2
		return 1
	fi
}

install_extension()
{
	local log=$workspace/install.log
	local -a how=()

	[[ -w $("$pg_config" --pkglibdir) && -w $("$pg_config" --sharedir)/extension ]] || how=(as_root)
	if ! "${how[@]}" make -s -C "$tree" install PG_CONFIG="$pg_config" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		return 1
	fi
}

# start_server SETTING...: reached only through a socket in the workspace.
start_server()
{
	local data=$workspace/data setting

	as_server "$bindir/initdb" -D "$data" -U postgres -A trust --no-sync \
		--encoding=UTF8 --locale=C.UTF-8 >"$workspace/initdb.log" 2>&1 ||
		die "initdb failed: $(tail -n 5 "$workspace/initdb.log")"
	for setting in "listen_addresses = ''" "unix_socket_directories = '$workspace'" \
		'fsync = off' "$@"; do
		as_server tee -a "$data/postgresql.conf" <<<"$setting" >/dev/null
	done
	as_server "$bindir/pg_ctl" -D "$data" -l "$workspace/server.log" -w start >/dev/null ||
		die "the server did not start: $(tail -n 5 "$workspace/server.log")"
}

# Also the servers that a test started and, interrupted, did not stop.
stop_servers()
{
	local pid_file

	while IFS= read -r pid_file; do
		as_server "$bindir/pg_ctl" -D "${pid_file%/*}" -m immediate stop >/dev/null || true
	done < <(find "$workspace" -name postmaster.pid)
}

# A client program of the server, connected to it.
client()
{
	local program=$1

	shift
	as_server env PGHOST="$workspace" PGUSER=postgres PGOPTIONS='-c client_min_messages=warning' \
		"$bindir/$program" "$@"
}

[[ -z ${PG_CONFIG:-} ]] || command -v "$PG_CONFIG" >/dev/null ||
	die "PG_CONFIG names no program: $PG_CONFIG" 2
clean_environment
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

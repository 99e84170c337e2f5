#!/bin/sh
# peer.sh FOLDER PORT: builds and runs an OpenSearch of one node, without security, on a loopback address
set -eu
HERE=$(cd "$(dirname "$0")" && pwd); FOLDER=$1; PORT=$2
mkdir -p "$FOLDER/home/config"
mvn -q -B -f "$HERE/pom.xml" dependency:copy-dependencies -DoutputDirectory="$FOLDER/lib"
javac -cp "$FOLDER/lib/*" -d "$FOLDER/out" "$HERE/PeerNode.java"
exec java -Xmx1g -Dlog4j2.disable.jmx=true -cp "$FOLDER/out:$FOLDER/lib/*" PeerNode "$FOLDER/home" "$PORT"

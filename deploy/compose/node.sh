#!/bin/sh
# Makes the node of this container when it is not there yet, gives tokens to the level below, and runs it.
#   DIVISION   its code        HOST  the name by which others reach it
#   ABOVE      the name of the level above; none: this is the top
# Tokens pass through the shared folder /tokens: one file for each division, written by the level above.
set -eu
folder=${WUJI_FOLDER:-/var/lib/wuji/node}

# Every level is asked for its tokens by a file tokens/DIVISION.wanted, and answers with tokens/DIVISION.
give() {
    while sleep 1; do
        for wanted in /tokens/"$HOST".*.wanted; do
            [ -e "$wanted" ] || continue
            division=${wanted#/tokens/"$HOST".}
            division=${division%.wanted}
            if wuji token --folder "$folder" --division "$division" >"/tokens/$HOST.$division.new"; then
                mv "/tokens/$HOST.$division.new" "/tokens/$HOST.$division"
                rm "$wanted"
            fi
        done
    done
}

if [ ! -e "$folder/wuji.toml" ]; then
    if [ -z "${ABOVE:-}" ]; then
        wuji init --folder "$folder" --division "$DIVISION" --advertise "$HOST:7440" --http 127.0.0.1:7480
    else
        touch "/tokens/$ABOVE.$DIVISION.wanted"
        while [ ! -e "/tokens/$ABOVE.$DIVISION" ]; do sleep 1; done
        until wuji join --folder "$folder" --token "$(cat "/tokens/$ABOVE.$DIVISION")" --advertise "$HOST:7440" \
            --http 127.0.0.1:7480; do sleep 2; done
        rm "/tokens/$ABOVE.$DIVISION"
    fi
fi
give &
exec wuji run --folder "$folder"

/* The wait protocol of core/lot.c and core/sched.c, for one green thread that waits and everybody who
 * may end its wait at once: a waker (lot_unpark after a change of the word), its timer, a canceller.
 * The waker is on the waiter's hub (-DLOCAL) or elsewhere; the canceller always is elsewhere.
 * Memory is sequentially consistent here: the C code makes the accesses below seq_cst or orders them by
 * the bucket's lock. What only the hub's carrier may touch needs no order: whoever does so has the carrier.
 *
 * Broken on purpose with -D:
 *   BREAK_ORDER    the waiter reads the value before it locks the bucket
 *   BREAK_PERMIT   an unpark of a green thread that is not parked leaves no permit
 *   BREAK_TIMEOUT  a timeout that lost against a wake-up is reported as a timeout
 *   BREAK_WAKING   the waker marks the waiter woken before it is done with it
 *   BREAK_REMOTE   who is not on the waiter's hub writes the park word all the same
 *   BREAK_NOTE     a green thread ends while its note is in the inbox
 */
#define TURNS 2

mtype = { RUNNING, PARKED, NOTIFIED };
mtype = { NOT_WOKEN, WAKING, WOKEN };
mtype = { NOTHING, OK, CHANGED, TIMEDOUT, CANCELED };

byte value = 0;           /* the word waited on */
bool locked = false;      /* bucket->word: LOCKED */
byte waiters = 0;         /* bucket->word: count */
bool queued = false;      /* w is in the queue */
mtype woken = NOT_WOKEN;  /* w->woken */
bool alive = false;       /* w exists: lot_park has not returned */
mtype wake = RUNNING;     /* g->wake; carrier */
bool runnable = true;     /* g is running or in the run queue; carrier */
bool carrier = false;     /* somebody runs on the hub */
byte asked = 0;           /* g->asked */
bool note = false;        /* g->note is in the hub's inbox */
bool canceling = false;   /* the canceller knows g, which the program therefore has not joined yet */
bool ended = false;       /* g's memory is gone */
bool cancel = false;      /* g->interrupted */
bool timer = false;       /* g->timer is armed */
bool timed_out = false;   /* g->timed_out */
byte used = 0;            /* wake-ups that a wait has reported */
byte given = 0;           /* wake-ups that lot_unpark has counted */

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline take_carrier() { atomic { !carrier -> carrier = true } }
inline leave_carrier() { carrier = false }

/* wake() of sched.c, on the carrier */
inline wake_here()
{
    was = wake;
#ifdef BREAK_PERMIT
    if
    :: was == PARKED -> wake = NOTIFIED
    :: else
    fi;
#else
    wake = NOTIFIED;
#endif
    if
    :: was == PARKED -> assert(!runnable); runnable = true
    :: else
    fi
}

/* hub_ask */
inline ask()
{
    assert(!ended);
    atomic { had = asked; asked = 1 }
    if
    :: had == 0 -> assert(!ended && !note); note = true
    :: else
    fi
}

/* sched_unpark by who is not on the hub */
inline unpark_from_elsewhere()
{
#ifdef BREAK_REMOTE
    wake_here()
#else
    ask()
#endif
}

inline unpark()
{
#ifdef LOCAL
    wake_here()
#else
    unpark_from_elsewhere()
#endif
}

/* answer() of loop.c, on the carrier */
inline answer_note()
{
    note = false;
    wake_here();
    assert(!ended);
    asked = 0
}

/* woken(): the waker is waited for */
inline see_woken()
{
    if
    :: woken == WOKEN -> answer = OK
    :: woken == WAKING -> (woken == WOKEN); answer = OK
    :: woken == NOT_WOKEN
    fi
}

proctype waiter()
{
    mtype answer;
    mtype was;
    byte seen, turn;
    bool still;

    take_carrier();
    do
    :: turn == TURNS -> break
    :: else ->
        turn++;
        answer = NOTHING;
        woken = NOT_WOKEN;
        alive = true;
#ifdef BREAK_ORDER
        seen = value;
        lock();
#else
        lock();
        seen = value;
#endif
        if
        :: seen != 0 -> unlock(); answer = CHANGED
        :: else -> queued = true; waiters++; unlock()
        fi;

        do /* green_wait */
        :: answer != NOTHING -> break
        :: else ->
            if
            :: cancel -> see_woken();
                if
                :: answer == NOTHING -> answer = CANCELED
                :: else
                fi
            :: else -> /* sched_park with a deadline */
                if
                :: leave_carrier(); take_carrier() /* left behind by its hub just before */
                :: skip
                fi;
                timed_out = false;
                timer = true;
                if
                :: wake == RUNNING ->
                    wake = PARKED;
                    runnable = false;
                    leave_carrier();
                    end_parked: atomic { runnable && !carrier -> carrier = true }
                :: wake == NOTIFIED
                fi;
                wake = RUNNING;
                timer = false;
                if
                :: timed_out -> answer = TIMEDOUT
                :: else
                fi
            fi;
            see_woken();
            if
            :: answer == NOTHING || answer == OK
            :: else -> /* unqueue */
                lock();
                still = (woken == NOT_WOKEN);
                if
                :: still -> queued = false; waiters--
                :: else
#ifndef BREAK_TIMEOUT
                   -> answer = OK
#endif
                fi;
                unlock()
            fi
        od;

        if
        :: answer == OK -> used++
        :: answer == CANCELED -> cancel = false
        :: else
        fi;
        assert(!queued);
        alive = false;          /* the stack frame, or all of g, is gone */
        if
        :: answer == CHANGED -> value = 0
        :: answer == OK -> value = 0
        :: else
        fi
    od;
    leave_carrier();
#ifdef BREAK_NOTE
    atomic { !canceling -> ended = true }
#else
    atomic { !canceling && asked == 0 -> ended = true } /* bury() of thread.c */
#endif
}

/* Each turn changes the word and wakes, as an unlock does. */
proctype waker()
{
    mtype was;
    byte turn, had;
    do
    :: turn == TURNS -> break
    :: else ->
        turn++;
#ifdef LOCAL
        take_carrier();
#endif
        value = 1;
        if
        :: !locked && waiters == 0 /* one load of bucket->word: nobody waits */
        :: else ->
            lock();
            if
            :: queued ->
                queued = false;
                waiters--;
                given++;
#ifdef BREAK_WAKING
                woken = WOKEN;
                unpark();
                assert(alive);
#else
                woken = WAKING;
                unpark();
                assert(alive); /* neither w nor g may vanish under our hands */
                woken = WOKEN;
#endif
            :: else
            fi;
            unlock()
        fi;
#ifdef LOCAL
        leave_carrier()
#else
        skip
#endif
    od
}

/* The hub's own context. Timers fire only while armed, and from some moment on never. */
proctype hub()
{
    mtype was;
    bool fires = true;
    do
    :: fires -> fires = false
    :: atomic { timer && fires && !carrier -> carrier = true }
        timer = false;
        timed_out = true;
        wake_here();
        leave_carrier()
    :: atomic { note && !carrier -> carrier = true }
        answer_note();
        leave_carrier()
    :: ended && !note -> break
    od
}

proctype canceller()
{
    mtype was;
    byte had;
    atomic {
        if
        :: ended -> goto done
        :: else -> canceling = true
        fi
    }
    cancel = true;
    unpark_from_elsewhere();
    canceling = false;
done:
    skip
}

/* Looks when nothing can move any more: a waiter that sleeps although its word has changed has lost its
   wake-up; a wake-up that was given and not reported has been swallowed. */
proctype judge()
{
    timeout -> assert(runnable || value == 0); assert(used == given)
}

init
{
    atomic { run waiter(); run waker(); run hub(); run canceller(); run judge() }
}

/* The wait protocol of core/lot.c and core/sched.c, for one green thread that waits and everybody who
 * may end its wait at once: a waker (lot_unpark after a change of the word), its timer, a canceller.
 * Memory is sequentially consistent here: the C code makes the accesses below seq_cst or orders them by
 * the bucket's lock.
 *
 * Broken on purpose with -D:
 *   BREAK_ORDER    the waiter reads the value before it locks the bucket
 *   BREAK_PERMIT   an unpark of a running green thread leaves no permit
 *   BREAK_TIMEOUT  a timeout that lost against a wake-up is reported as a timeout
 *   BREAK_WAKING   the waker marks the waiter woken before it is done with it
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
mtype wake = RUNNING;     /* g->wake */
bool runnable = true;     /* g is running or in a run queue or inbox */
bool cancel = false;      /* g->interrupted */
bool timer = false;       /* g->timer is armed */
bool timed_out = false;   /* g->timed_out */
byte used = 0;            /* wake-ups that a wait has reported */
byte given = 0;           /* wake-ups that lot_unpark has counted */

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

/* sched_unpark: notify, then make runnable what was parked. */
inline unpark_green()
{
    atomic {
        was = wake;
#ifdef BREAK_PERMIT
        if
        :: was == PARKED -> wake = NOTIFIED
        :: else
        fi
#else
        wake = NOTIFIED
#endif
    }
    if
    :: was == PARKED -> assert(!runnable); runnable = true
    :: else
    fi
}

proctype waiter()
{
    mtype answer;
    byte seen, turn;
    bool still;

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

        do /* lot_wait */
        :: answer != NOTHING -> break
        :: else ->
            if
            :: woken == WOKEN -> answer = OK
            :: woken == WAKING -> (woken == WOKEN); answer = OK
            :: woken == NOT_WOKEN ->
                if
                :: cancel -> answer = CANCELED
                :: else -> /* sched_park with a deadline */
                    timed_out = false;
                    timer = true;
                    if
                    :: atomic { wake == RUNNING -> wake = PARKED; runnable = false };
                        end_parked: (runnable) /* for ever is legal when nobody wakes it */
                    :: wake == NOTIFIED
                    fi;
                    wake = RUNNING;
                    timer = false;
                    if
                    :: timed_out -> answer = TIMEDOUT
                    :: else
                    fi
                fi;
                if
                :: answer == NOTHING
                :: else -> /* lot_leave */
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
    od
}

/* Each turn changes the word and wakes, as an unlock does. */
proctype waker()
{
    mtype was;
    byte turn;
    do
    :: turn == TURNS -> break
    :: else ->
        turn++;
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
                unpark_green();
                assert(alive);
#else
                woken = WAKING;
                unpark_green();
                assert(alive); /* neither w nor g may vanish under our hands */
                woken = WOKEN;
#endif
            :: else
            fi;
            unlock()
        fi
    od
}

/* The hub's timers: fire only while armed, and may never fire at all. */
proctype timers()
{
    mtype was;
    do
    :: atomic { timer -> timer = false; timed_out = true }; unpark_green()
    :: break
    od
}

proctype canceller()
{
    mtype was;
    cancel = true;
    unpark_green()
}

/* Looks when nothing can move any more: a waiter that sleeps although its word has changed has lost its
   wake-up; a wake-up that was given and not reported has been swallowed. */
proctype judge()
{
    timeout -> assert(runnable || value == 0); assert(used == given)
}

init
{
    atomic { run waiter(); run waker(); run timers(); run canceller(); run judge() }
}

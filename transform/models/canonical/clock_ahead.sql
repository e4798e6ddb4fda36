{{ clocks_ahead() }}

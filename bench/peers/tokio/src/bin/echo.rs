//! A task for each connection. Prints its port, serves until it is ended.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn answer(mut connection: TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 2048];
    loop {
        let size = connection.read(&mut bytes).await?;
        if size == 0 {
            return Ok(());
        }
        connection.write_all(&bytes[..size]).await?;
    }
}

fn main() -> std::io::Result<()> {
    bench::runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (connection, _) = listener.accept().await?;
            connection.set_nodelay(true)?;
            tokio::spawn(answer(connection));
        }
    })
}

import { TcpTap } from './tcp-tap.js'

/** Passes control connections on and keeps the verbs of each packet. Data connections go to the server itself. */
export class FtpTap extends TcpTap {
  /** Commands of one packet are joined by `+`; each packet is a round trip. */
  readonly packets: string[] = []

  protected override sent(packet: Buffer): void {
    const lines = packet.toString().split('\r\n').slice(0, -1)
    this.packets.push(lines.map((line) => line.split(' ')[0]).join('+'))
  }
}

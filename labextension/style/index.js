import './tones.css';
import './card.css';
import './jobs.css';
